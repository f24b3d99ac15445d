//! The numbers as tables.

use report::{format, record::Environment};
use serde_json::Value;

use super::{Measured, OURS, Phases, Speed, Spread};
use crate::timing::table::{spread, table};

impl Speed {
    /// Our own numbers as a table, and what they were taken on.
    pub fn table(&self) -> String {
        let head = [
            "method",
            "work",
            "step ms",
            "tokens/s",
            "data",
            "forward",
            "backward",
            "optimizer",
            "evaluation tokens/s",
            "peak memory",
            "first step s",
        ];
        let ours = self.measured.iter().filter(|measured| measured.side == OURS);
        let rows: Vec<Vec<String>> = ours
            .map(|m| {
                let Phases { data, forward, backward, optimizer } = m.phases;
                let share = |part: f64| format!("{:.0} %", 100.0 * part / m.phases.sum());
                vec![
                    m.title.clone(),
                    m.work.clone(),
                    spread(m.step_ms(), |ms| format!("{ms:.1}")),
                    m.tokens_per_second().map_or("–".to_owned(), |s| whole(s.median)),
                    share(data),
                    share(forward),
                    share(backward),
                    share(optimizer),
                    m.evaluated_per_second().map_or("–".to_owned(), |s| whole(s.median)),
                    peak(m),
                    format::seconds(m.first_step_seconds),
                ]
            })
            .collect();
        format!("{}\n\n{}", self.conditions(), table(&head, &rows))
    }

    /// How many times as fast our side is as each other one, and how much memory it takes of
    /// theirs; `None` if we were alone.
    pub fn ratios(&self) -> Option<String> {
        let head = [
            "method",
            "work",
            "against",
            "training",
            "evaluation",
            "memory",
            "our step ms",
            "their step ms",
            "our memory",
            "their memory",
        ];
        let times = |ratio: Option<Spread>| spread(ratio, |ratio| format!("{ratio:.2}"));
        let rows: Vec<Vec<String>> = self
            .pairs()
            .map(|(ours, theirs)| {
                let training = Spread::of_ratio(&theirs.train_seconds, &ours.train_seconds);
                let evaluation =
                    Spread::of_ratio(&theirs.evaluation_seconds, &ours.evaluation_seconds);
                let memory = ours.peak_bytes.zip(theirs.peak_bytes);
                let memory = memory.map(|(ours, theirs)| ours as f64 / theirs as f64);
                let step =
                    |m: &Measured| m.step_ms().map_or("–".into(), |s| format!("{:.1}", s.median));
                vec![
                    ours.title.clone(),
                    ours.work.clone(),
                    theirs.side.clone(),
                    times(training),
                    times(evaluation),
                    memory.map_or("–".to_owned(), |ratio| format!("{ratio:.2}")),
                    step(ours),
                    step(theirs),
                    peak(ours),
                    peak(theirs),
                ]
            })
            .collect();
        (!rows.is_empty()).then(|| table(&head, &rows))
    }

    /// What it was measured on, in a line.
    pub fn conditions(&self) -> String {
        let Self { model, task, batch, packages, .. } = self;
        let mut line =
            format!("{}; {model} on {task}, batches of {batch}", machine(&self.environment));
        if let Some(Value::Object(packages)) = packages {
            for (name, version) in packages {
                line += &format!(", {name} {}", version.as_str().unwrap_or("?"));
            }
        }
        line + "."
    }
}

/// A machine and a program, in a line without its full stop.
pub fn machine(environment: &Environment) -> String {
    let Environment { device, hardware, threads, burn, commit, .. } = environment;
    let threads = format::plural(*threads, "thread");
    let commit = if commit.is_empty() { "an unknown commit" } else { commit };
    format!("{hardware}, {threads}; {device}, Burn {burn}, commit {commit}")
}

fn whole(number: f64) -> String {
    format::count(number.round() as usize)
}

fn peak(measured: &Measured) -> String {
    measured.peak_bytes.map_or("–".to_owned(), |bytes| format::bytes(bytes as f64))
}

#[cfg(test)]
pub mod tests {
    use backbones::Precision;

    use super::*;

    pub fn measured(side: &str, train_seconds: &[f64], peak_bytes: u64) -> Measured {
        Measured {
            method: "lora".to_owned(),
            title: "LoRA".to_owned(),
            config: Value::Null,
            work: "64".to_owned(),
            side: side.to_owned(),
            first_step_seconds: 1.0,
            train_seconds: train_seconds.to_vec(),
            steps: 10,
            tokens: 1000,
            phases: Phases { data: 0.0, forward: 1.0, backward: 2.0, optimizer: 1.0 },
            peak_bytes: Some(peak_bytes),
            evaluation_seconds: vec![],
            evaluation_tokens: 0,
        }
    }

    pub fn speed(measured: Vec<Measured>) -> Speed {
        let environment = Environment {
            device: "flex".to_owned(),
            hardware: "a processor".to_owned(),
            threads: 2,
            system: "linux".to_owned(),
            version: "0".to_owned(),
            burn: "0".to_owned(),
            commit: String::new(),
        };
        let (task, model) = ("movie".to_owned(), "minilm-l6".to_owned());
        let precision = Precision::F32;
        Speed { environment, task, model, precision, batch: 32, packages: None, measured }
    }

    #[test]
    fn steps_tokens_and_shares_are_worked_out_from_the_rounds() {
        let text = speed(vec![measured(OURS, &[2.0, 1.0, 4.0], 3_000_000)]).table();
        for part in ["200.0 (100.0–400.0)", " 500 |", "25 %", "50 %", "3 MB"] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn ratios_say_how_many_times_as_fast_we_are_and_what_share_of_the_memory_we_take() {
        let alone = measured(OURS, &[1.0, 2.0], 30);
        assert_eq!(speed(vec![alone.clone()]).ratios(), None);
        let both = speed(vec![alone, measured("theirs", &[3.0, 3.0], 100)]);
        let text = both.ratios().unwrap();
        assert!(text.contains("2.00 (1.50–3.00)") && text.contains("0.30"), "{text}");
    }
}
