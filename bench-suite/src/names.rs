//! Messages for names that nobody knows.

use messages::short;

/// `unknown KIND 'NAME'`, the nearest known names, and the command that lists all.
pub fn unknown(kind: &str, name: &str, known: &[&str], list: &str) -> String {
    let name = short(name);
    let mut near: Vec<(f64, &str)> = known
        .iter()
        .map(|known| (strsim::jaro_winkler(&name.to_lowercase(), known), *known))
        .filter(|(likeness, _)| *likeness > 0.7)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let near: Vec<String> = near.iter().take(3).map(|(_, name)| format!("'{name}'")).collect();
    let hint = match near.is_empty() {
        true => format!("known are {}", known.join(", ")),
        false => format!("did you mean {}?", near.join(" or ")),
    };
    format!("unknown {kind} '{name}'; {hint} (all: bench-suite {list})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered() {
        let message = unknown("method", "lorra", &["lora", "adalora", "head"], "list methods");
        assert!(message.contains("did you mean 'lora'"), "{message}");
    }

    #[test]
    fn a_name_like_no_other_gets_all_of_them() {
        let message = unknown("method", "zzz", &["lora", "head"], "list methods");
        assert!(message.contains("known are lora, head"), "{message}");
    }
}
