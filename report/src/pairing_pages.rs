//! Two results folders side by side, as text for a terminal, as Markdown and as HTML.

use std::path::{Path, PathBuf};

use crate::files::{make_folder, write_atomic};
use crate::format;
use crate::paired;
use crate::pairing::{Pair, Pairing, accuracy};
use crate::record::RunRecord;
use crate::table::{Cell, Column, Table, number, text};
use crate::{ReportError, html, markdown};

impl Pairing<'_> {
    /// One row a configuration: means over the seeds that both folders have.
    pub fn table(&self) -> Table {
        let (text, number) = (Column::text, Column::number);
        let mut columns = vec![
            text("Method"),
            number("Seeds"),
            number("Test % A"),
            number("Test % B"),
            number("B − A"),
            number("Train s"),
            number("Peak memory"),
            number("Trainable"),
            number("Stored"),
        ];
        let mut rows: Vec<Vec<Cell>> = self.pairs.iter().map(row).collect();
        let tasks: Vec<&str> = self.pairs.iter().map(|pair| task(pair.runs[0].0)).collect();
        if tasks.iter().any(|task| *task != tasks[0]) {
            columns.insert(0, text("Task"));
            rows.iter_mut().zip(tasks).for_each(|(row, task)| row.insert(0, self::text(task)));
        }
        Table { columns, rows }
    }

    /// What the folders are called.
    pub fn title(&self) -> String {
        format!("A: {}, B: {}", self.names[0], self.names[1])
    }

    /// What there is to say below the table.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = vec![];
        if !self.pairs.is_empty() {
            notes.push(
                "B − A is in points of test accuracy, paired by seed: the mean with its 95 % \
                 interval (Student's t over the seeds); one seed has no interval."
                    .to_owned(),
            );
            if self.pairs.iter().any(|pair| pair.duel.is_some()) {
                notes.push(paired::note());
            }
            notes.extend(self.hardware());
        }
        notes.extend(self.differences());
        for (side, alone) in ["A", "B"].into_iter().zip(&self.alone) {
            if !alone.is_empty() {
                let names: Vec<String> = alone.iter().map(|run| name(run)).collect();
                notes.push(format!("Only in {side}: {}.", format::list(&names)));
            }
        }
        notes
    }

    /// What differs beside the results: a sentence for all configurations in which it is the same.
    fn differences(&self) -> Vec<String> {
        let mut alike: Vec<(&[String], Vec<&str>)> = vec![];
        for pair in self.pairs.iter().filter(|pair| !pair.changes.is_empty()) {
            match alike.iter_mut().find(|(changes, _)| *changes == pair.changes) {
                Some((_, labels)) => labels.push(&pair.label),
                None => alike.push((&pair.changes, vec![&pair.label])),
            }
        }
        let sentence = |(changes, labels): (&[String], Vec<&str>)| {
            let changes = format::list(changes);
            match labels[..] {
                [label] => format!("{label} differs in {changes}."),
                _ if labels.len() == self.pairs.len() => format!("All differ in {changes}."),
                _ => format!("{} differ in {changes}.", format::list(&labels)),
            }
        };
        alike.into_iter().map(sentence).collect()
    }

    /// What the comparison shows, in one sentence.
    pub fn finding(&self) -> String {
        if self.pairs.is_empty() {
            return "No run is in both folders: none has the same method, variant, budget, task \
                    and seed."
                .to_owned();
        }
        let labels = |is_better: fn(f64) -> bool| -> Vec<&str> {
            let clear = self.pairs.iter().filter(|pair| {
                pair.is_clear() && pair.gain().is_some_and(|gain| is_better(gain.mean))
            });
            clear.map(|pair| pair.label.as_str()).collect()
        };
        let n = format::plural(self.pairs.len(), "configuration");
        let (b, a) = (labels(|gain| gain > 0.0), labels(|gain| gain < 0.0));
        let shown: Vec<String> = [("B", b), ("A", a)]
            .into_iter()
            .filter(|(_, better)| !better.is_empty())
            .map(|(side, better)| format!("{side} is better with {}", format::list(&better)))
            .collect();
        match shown.is_empty() {
            true => format!("{n} in both: no difference in accuracy is shown."),
            false => format!("{n} in both: {}.", shown.join("; ")),
        }
    }

    /// Times and memory of different machines say nothing about the methods.
    fn hardware(&self) -> Option<String> {
        let place = |run: &RunRecord| {
            let environment = &run.environment;
            format!("{} with {} threads", environment.hardware, environment.threads)
        };
        let mut runs = self.pairs.iter().flat_map(|pair| &pair.runs);
        let (a, b) = runs.find(|(a, b)| place(a) != place(b))?;
        let (a, b) = (place(a), place(b));
        Some(format!("Time and memory were measured in different places: A on {a}, B on {b}."))
    }

    /// Writes `compare.md` and `compare.html` into a folder, which is made if need be.
    ///
    /// # Errors
    /// The folder or a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<[PathBuf; 2], ReportError> {
        make_folder(folder)?;
        let [markdown, html] = ["compare.md", "compare.html"].map(|name| folder.join(name));
        write_atomic(&markdown, self.markdown().as_bytes())?;
        write_atomic(&html, self.html().as_bytes())?;
        Ok([markdown, html])
    }

    fn markdown(&self) -> String {
        let (title, finding) = (self.title(), self.finding());
        let mut text =
            format!("# {}\n\n**{}**\n", markdown::escape(&title), markdown::escape(&finding));
        if !self.pairs.is_empty() {
            text += &format!("\n{}", markdown::table_text(&self.table()));
        }
        let notes = self.notes().into_iter().map(|note| format!("- {}\n", markdown::escape(&note)));
        text + "\n" + &notes.collect::<String>()
    }

    fn html(&self) -> String {
        let finding = html::prose(&self.finding());
        let table = match self.pairs.is_empty() {
            true => String::new(),
            false => html::table_html(&self.table(), &[]),
        };
        let notes = self.notes();
        let notes = notes.iter().map(|note| format!("<li>{}</li>\n", html::prose(note)));
        let notes: String = notes.collect();
        let main = format!(
            "<section>\n<p class=\"headline\">{finding}</p>\n\
             <p class=\"hint narrow\">The table can be moved sideways.</p>\n{table}\
             <ul class=\"notes\">\n{notes}</ul>\n</section>\n"
        );
        html::document(&self.title(), "", &main)
    }
}

impl std::fmt::Display for Pairing<'_> {
    /// Finding, table and notes, for a terminal.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        writeln!(f, "{}\n\n{}\n", self.title(), self.finding())?;
        if !self.pairs.is_empty() {
            writeln!(f, "{}", self.table())?;
        }
        self.notes().iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

fn task(run: &RunRecord) -> &str {
    &run.task.name
}

fn name(run: &RunRecord) -> String {
    format!("{} seed {} on {} ({})", run.label(), run.seed, run.task.name, run.id)
}

fn row(pair: &Pair) -> Vec<Cell> {
    let percent = |share: f64| format::percent(share);
    let test = pair.means(accuracy);
    let trained = |run: &RunRecord| (run.cost.steps > 0).then_some(run.cost.train_seconds);
    let peak = |run: &RunRecord| run.cost.peak_bytes.map(|bytes| bytes as f64);
    let count = |n: f64| format::count(n.round() as usize);
    vec![
        text(&pair.label),
        number(pair.runs.len().to_string(), pair.runs.len() as f64),
        test.map_or(text("–"), |(a, _)| number(percent(a), a)),
        test.map_or(text("–"), |(_, b)| number(percent(b), b)),
        gain(pair),
        change(pair.means(trained), format::seconds),
        change(pair.means(peak), format::bytes),
        change(pair.means(|run| Some(run.counts.trainable as f64)), count),
        change(pair.means(|run| Some(run.counts.stored as f64)), count),
    ]
}

/// `+0.42 ± 1.10`, in points.
fn gain(pair: &Pair) -> Cell {
    let Some(gain) = pair.gain() else {
        return text("–");
    };
    let points = 100.0 * gain.mean;
    let spread = gain.half_width().map_or(String::new(), |half| format!(" ± {:.2}", 100.0 * half));
    // Rounding must not leave a "-0.00".
    let points = if points.abs() < 0.005 { "0.00".to_owned() } else { format!("{points:+.2}") };
    let points = points.replace('-', "−");
    number(format!("{points}{spread}"), gain.mean)
}

/// `61.2 → 63.0`, or one of them where they are shown alike. Sorted by the ratio.
fn change(means: Option<(f64, f64)>, show: impl Fn(f64) -> String) -> Cell {
    let Some((a, b)) = means else {
        return text("–");
    };
    let ratio = if a > 0.0 { b / a } else { 1.0 };
    let (a, b) = (show(a), show(b));
    number(if a == b { a } else { format!("{a} → {b}") }, ratio)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use crate::pairing::pair;

    fn pages(a: &[RunRecord], b: &[RunRecord]) -> [String; 3] {
        let pairing = pair(["results/a", "results/b"].map(str::to_owned), a, b);
        let folder = tempfile::tempdir().unwrap();
        let paths = pairing.write(folder.path()).unwrap();
        let [markdown, html] = paths.map(|path| std::fs::read_to_string(path).unwrap());
        [pairing.to_string(), markdown, html]
    }

    #[test]
    fn what_differs_everywhere_is_said_once() {
        let a = example::suite(&[1, 2]);
        let mut b = a.clone();
        for record in &mut b {
            record.backbone.precision = Some("bf16".to_owned());
        }
        let [text, ..] = pages(&a, &b);
        assert_eq!(text.matches("precision f32 → bf16").count(), 1, "{text}");
        assert!(text.contains("All differ in precision f32 → bf16."), "{text}");
        for record in b.iter_mut().filter(|record| record.label() == "LoRA rank=8") {
            record.backbone.pooling = "cls".to_owned();
        }
        let [text, ..] = pages(&a, &b);
        assert!(text.contains(" differ in precision f32 → bf16."), "{text}");
        assert!(
            text.contains(" differs in precision f32 → bf16 and pooling mean → cls."),
            "{text}"
        );
    }

    fn slower_and_better() -> [Vec<RunRecord>; 2] {
        let a = example::suite(&[1, 2, 3]);
        let mut b = a.clone();
        for record in b.iter_mut().filter(|record| record.label() == "LoRA rank=8") {
            record.scores.as_mut().unwrap().test_accuracy += 0.01;
            record.cost.train_seconds *= 2.0;
            record.cost.peak_bytes = record.cost.peak_bytes.map(|bytes| bytes / 2);
        }
        [a, b]
    }

    #[test]
    fn every_page_tells_accuracy_time_memory_and_parameters_of_both() {
        let [a, b] = slower_and_better();
        for page in pages(&a, &b) {
            for part in ["Test % A", "B − A", "LoRA rank=8", "+1.00", "73,728", "results/b"] {
                assert!(page.contains(part), "{part} not in {page}");
            }
            assert!(page.contains("410 MB → 205 MB"), "{page}");
            assert!(page.contains("B is better with LoRA rank=8."), "{page}");
        }
    }

    #[test]
    fn what_is_in_one_folder_alone_is_named() {
        let [a, b] = slower_and_better();
        let a = &a[..a.len() - 1];
        let gone = b.last().unwrap();
        for page in pages(a, &b) {
            assert!(page.contains("Only in B: ") && page.contains(&gone.id), "{page}");
            assert!(!page.contains("Only in A"), "{page}");
        }
    }

    #[test]
    fn folders_without_a_common_run_say_so() {
        let a = example::suite(&[1]);
        let mut b = a.clone();
        b.iter_mut().for_each(|record| record.seed = 9);
        for page in pages(&a, &b) {
            assert!(page.contains("No run is in both folders"), "{page}");
        }
    }

    #[test]
    fn other_hardware_is_told_and_equal_folders_show_no_difference() {
        let a = example::suite(&[1, 2]);
        let mut b = a.clone();
        for page in pages(&a, &b) {
            assert!(page.contains("no difference in accuracy is shown"), "{page}");
            assert!(!page.contains("different places"), "{page}");
        }
        b.iter_mut().for_each(|record| record.environment.hardware = "GPU <x>".to_owned());
        let [text, markdown, html] = pages(&a, &b);
        assert!(text.contains("different places") && text.contains("B on GPU <x>"), "{text}");
        assert!(!markdown.contains("<x>") && !html.contains("<x>"));
    }

    #[test]
    fn runs_that_diverged_have_no_figure_and_break_nothing() {
        let records = example::all_diverged();
        let [text, ..] = pages(&records, &records);
        assert!(text.contains('–') && !text.contains("NaN"), "{text}");
    }

    #[test]
    fn small_losses_are_never_shown_as_minus_zero() {
        let a = example::suite(&[1]);
        let mut b = a.clone();
        for record in &mut b {
            if let Some(scores) = &mut record.scores {
                scores.test_accuracy -= 1e-6;
            }
        }
        let [text, ..] = pages(&a, &b);
        assert!(!text.contains("-0.00") && !text.contains("+0.00"), "{text}");
    }
}
