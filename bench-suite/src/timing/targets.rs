//! What is aimed at beside Hugging Face PEFT in the same precision, and how near the
//! measurements come.
//!
//! A folder keeps a file for each precision and work, so that they can be measured apart.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use backbones::Precision;

use super::{
    peft,
    rounds::Spread,
    speed::{Measured, Speed},
    table::{spread, table},
};

/// What the names of the files begin with.
const PREFIX: &str = "against-";

/// Stands after a number that misses its target.
const MISSED: &str = " ✗";

/// Ratios to PyTorch in one precision.
struct Targets {
    /// Least speed on the task's own rows.
    rows: f64,
    /// Least speed on rows of one length.
    length: f64,
    /// Least speed of the evaluation pass.
    evaluation: f64,
    /// Largest share of the peak memory.
    memory: f64,
}

impl Targets {
    fn of(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self { rows: 1.5, length: 1.1, evaluation: 1.5, memory: 0.4 },
            Precision::Bf16 => Self { rows: 1.3, length: 1.0, evaluation: 1.3, memory: 0.4 },
        }
    }

    fn work(&self, work: &str) -> f64 {
        if work == "rows" { self.rows } else { self.length }
    }
}

/// The numbers of each work by themselves, and the name of their file.
pub fn parts(speed: &Speed) -> Vec<(String, Speed)> {
    let part = |work: &str| {
        let of_work = speed.measured.iter().filter(|measured| measured.work == work);
        let name = format!("{PREFIX}{}-{work}", speed.precision.name());
        (name, Speed { measured: of_work.cloned().collect(), ..speed.clone() })
    };
    works(&[speed]).into_iter().map(part).collect()
}

/// All numbers against PyTorch that a folder keeps.
///
/// # Errors
/// A folder or file that cannot be read.
pub fn read(folder: &Path) -> Result<Vec<Speed>> {
    let at = || format!("{} cannot be read", folder.display());
    let mut paths = vec![];
    for entry in fs::read_dir(folder).with_context(at)? {
        let path = entry.with_context(at)?.path();
        let is_ours = |name: &str| name.starts_with(PREFIX) && name.ends_with(".json");
        if path.file_name().and_then(|name| name.to_str()).is_some_and(is_ours) {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read_file(path)).collect()
}

/// The numbers of a file.
///
/// # Errors
/// A file that cannot be read, or that holds no such numbers.
pub fn read_file(path: &Path) -> Result<Speed> {
    let shown = path.display();
    let text = fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
    serde_json::from_slice(&text).with_context(|| format!("{shown} holds no measurements"))
}

/// A table of all methods for each precision, with what is aimed at.
pub fn targets(all: &[Speed]) -> String {
    let of = |precision: Precision| {
        let of_it: Vec<&Speed> = all.iter().filter(|s| s.precision == precision).collect();
        (!of_it.is_empty()).then(|| targets_in(precision, &of_it))
    };
    Precision::ALL.into_iter().filter_map(of).collect::<Vec<_>>().join("\n")
}

/// Every number behind [`targets`]: both sides' own, and the ratios.
pub fn ratios(all: &[Speed]) -> String {
    let of = |precision: Precision| {
        let of_it: Vec<&Speed> = all.iter().filter(|s| s.precision == precision).collect();
        let table = Speed { measured: measured(&of_it), ..(*of_it.first()?).clone() }.ratios()?;
        Some(format!("Both in {}:\n\n{table}", peft::title(precision)))
    };
    Precision::ALL.into_iter().filter_map(of).collect::<Vec<_>>().join("\n")
}

fn measured(all: &[&Speed]) -> Vec<Measured> {
    all.iter().flat_map(|speed| speed.measured.clone()).collect()
}

/// Every work that was measured: the task's rows, then lengths, rising.
fn works<'a>(all: &[&'a Speed]) -> Vec<&'a str> {
    let measured = all.iter().flat_map(|speed| &speed.measured);
    let mut works: Vec<&str> = measured.map(|measured| measured.work.as_str()).collect();
    works.sort_by_key(|work| work.parse().unwrap_or(0));
    works.dedup();
    works
}

fn targets_in(precision: Precision, all: &[&Speed]) -> String {
    let aims = Targets::of(precision);
    let works = works(all);
    let one = Speed { measured: measured(all), ..all[0].clone() };
    let pairs: Vec<(&Measured, &Measured)> =
        one.pairs().filter(|(_, theirs)| theirs.side == peft::side(precision)).collect();
    let mut methods: Vec<(&str, &str)> = vec![];
    for (ours, _) in &pairs {
        let method = (ours.method.as_str(), ours.title.as_str());
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    let mut score = Score::default();
    let mut rows = vec![
        std::iter::once("target".to_owned())
            .chain(works.iter().map(|work| format!("≥ {:.1}", aims.work(work))))
            .chain([format!("≥ {:.1}", aims.evaluation), format!("≤ {:.1}", aims.memory)])
            .collect(),
    ];
    for (method, title) in methods {
        let of_it: Vec<_> = pairs.iter().filter(|(ours, _)| ours.method == method).collect();
        let training = works.iter().map(|&work| {
            let pair = of_it.iter().find(|(ours, _)| ours.work == work);
            let ratio = pair.and_then(|(ours, theirs)| {
                Spread::of_ratio(&theirs.train_seconds, &ours.train_seconds)
            });
            score.at_least(ratio, aims.work(work))
        });
        let mut row: Vec<String> = std::iter::once(title.to_owned()).chain(training).collect();
        let evaluation = of_it.iter().find_map(|(ours, theirs)| {
            Spread::of_ratio(&theirs.evaluation_seconds, &ours.evaluation_seconds)
        });
        row.push(score.at_least(evaluation, aims.evaluation));
        let memory = of_it
            .iter()
            .filter_map(|(ours, theirs)| Some(ours.peak_bytes? as f64 / theirs.peak_bytes? as f64));
        row.push(score.at_most(memory.max_by(f64::total_cmp), aims.memory));
        rows.push(row);
    }
    let mut head = vec!["method".to_owned()];
    head.extend(works.iter().map(|work| match *work {
        "rows" => "training, rows".to_owned(),
        length => format!("training, {length} tokens"),
    }));
    head.extend(["evaluation".to_owned(), "peak memory".to_owned()]);
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let Score { met, of } = score;
    let mut conditions: Vec<String> = all.iter().map(|speed| speed.conditions()).collect();
    conditions.dedup();
    format!(
        "Both in {}: {met} of {of} medians meet their target,{MISSED} marks the others.\n{}\n\n{}",
        peft::title(precision),
        conditions.join("\n"),
        table(&head, &rows)
    )
}

/// How many numbers meet their targets.
#[derive(Default)]
struct Score {
    met: usize,
    of: usize,
}

impl Score {
    fn at_least(&mut self, ratio: Option<Spread>, aim: f64) -> String {
        let shown = spread(ratio, |ratio| format!("{ratio:.2}"));
        self.count(shown, ratio.map(|ratio| ratio.median >= aim))
    }

    fn at_most(&mut self, share: Option<f64>, aim: f64) -> String {
        let shown = share.map_or("–".to_owned(), |share| format!("{share:.2}"));
        self.count(shown, share.map(|share| share <= aim))
    }

    fn count(&mut self, shown: String, is_met: Option<bool>) -> String {
        let Some(is_met) = is_met else { return shown };
        self.of += 1;
        self.met += usize::from(is_met);
        if is_met { shown } else { shown + MISSED }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::speed::{
        OURS,
        tables::tests::{measured, speed},
    };

    fn both(work: &str, ours: f64, theirs: f64, bytes: [u64; 2]) -> Vec<Measured> {
        let on = |side: &str, seconds: f64, bytes: u64| Measured {
            work: work.to_owned(),
            evaluation_seconds: if work == "rows" { vec![seconds] } else { vec![] },
            ..measured(side, &[seconds], bytes)
        };
        vec![on(OURS, ours, bytes[0]), on("PEFT float32", theirs, bytes[1])]
    }

    #[test]
    fn medians_are_held_against_their_targets_and_the_largest_share_of_memory_counts() {
        let rows = speed(both("rows", 1.0, 1.6, [30, 100]));
        let fixed = speed(both("128", 1.0, 1.05, [45, 100]));
        let text = targets(&[fixed.clone(), rows.clone()]);
        let lora = text.lines().find(|line| line.starts_with("| LoRA")).unwrap();
        let cells: Vec<&str> = lora.split('|').map(str::trim).collect();
        let (met, missed) = ("1.60 (1.60–1.60)", "1.05 (1.05–1.05) ✗");
        assert_eq!(cells, ["", "LoRA", met, missed, met, "0.45 ✗", ""]);
        assert!(text.contains("2 of 4 medians") && text.contains("≥ 1.1"), "{text}");
        assert!(ratios(&[fixed, rows]).contains("1.05"));
    }

    #[test]
    fn each_work_has_a_file_that_is_read_back() {
        let all = [both("rows", 1.0, 2.0, [3, 4]), both("64", 1.0, 2.0, [3, 4])].concat();
        let whole = speed(all);
        let folder = tempfile::tempdir().unwrap();
        for (name, part) in parts(&whole) {
            let json = serde_json::to_vec(&part).unwrap();
            fs::write(folder.path().join(format!("{name}.json")), json).unwrap();
        }
        fs::write(folder.path().join("speed.json"), "no numbers").unwrap();
        assert!(folder.path().join("against-f32-rows.json").is_file());
        let read_back = read(folder.path()).unwrap();
        assert_eq!(targets(&read_back), targets(&[whole]));
        fs::write(folder.path().join("against-f32-64.json"), "no numbers").unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains("against-f32-64.json"));
    }

    #[test]
    fn numbers_of_the_same_conditions_are_kept_beside_new_ones_and_others_are_not() {
        let old = speed(both("rows", 1.0, 2.0, [3, 4]));
        let new = speed(vec![Measured { method: "head".to_owned(), ..old.measured[0].clone() }]);
        assert_eq!(new.clone().and(old.clone()).measured.len(), 3);
        assert_eq!(old.clone().and(old.clone()), old);
        let elsewhere = Speed { batch: 16, ..old };
        assert_eq!(new.clone().and(elsewhere), new);
    }
}
