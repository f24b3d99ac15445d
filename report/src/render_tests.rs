use std::collections::BTreeMap;

use super::*;
use crate::{SuiteInfo, example};

/// A folder with these records, rendered.
fn rendered(records: &[RunRecord]) -> (tempfile::TempDir, ResultsDir, Rendered) {
    let folder = tempfile::tempdir().unwrap();
    let results = ResultsDir::open(folder.path()).unwrap();
    records.iter().for_each(|record| drop(results.write(record).unwrap()));
    let rendered = render(&results, "PEFT methods on movie reviews").unwrap();
    (folder, results, rendered)
}

/// `REPORT.md` and `report.html` for these records, with no file written.
fn pages(records: &[RunRecord]) -> (String, String) {
    let title = "PEFT methods on movie reviews";
    let page = Page::of(title, 0, records).unwrap();
    (markdown::page(&page), html::page(&page))
}

fn contents(rendered: &Rendered) -> BTreeMap<PathBuf, Vec<u8>> {
    rendered.paths().map(|path| (path.to_owned(), fs::read(path).unwrap())).collect()
}

fn small_suite() -> Vec<RunRecord> {
    let mut records = example::suite(&[1]);
    records.retain(|record| record.method.baseline || record.method.name == "lora");
    records
}

#[test]
fn rendering_again_gives_the_same_bytes() {
    let (_folder, results, first) = rendered(&small_suite());
    let before = contents(&first);
    assert_eq!(before.len(), 15); // csv, Markdown, HTML, six charts twice
    assert!(before.values().all(|bytes| !bytes.is_empty()));
    let second = render(&results, "PEFT methods on movie reviews").unwrap();
    assert!(before == contents(&second));
}

#[test]
fn the_order_in_which_runs_ended_leaves_no_trace() {
    let recorded = |records: &mut dyn Iterator<Item = &RunRecord>| {
        let folder = tempfile::tempdir().unwrap();
        let results = ResultsDir::open(folder.path()).unwrap();
        records.for_each(|record| drop(results.write(record).unwrap()));
        results.read_all().unwrap()
    };
    let records = small_suite();
    let (first, second) = (recorded(&mut records.iter()), recorded(&mut records.iter().rev()));
    assert!(pages(&first) == pages(&second));
}

#[test]
fn an_empty_folder_has_nothing_to_report() {
    let folder = tempfile::tempdir().unwrap();
    let results = ResultsDir::open(folder.path()).unwrap();
    let text = render(&results, "title").unwrap_err().to_string();
    assert!(text.contains("no run records in this folder, imported ones apart; run"), "{text}");
}

#[test]
fn an_imported_run_is_on_no_page() {
    let mut records = small_suite();
    let mut imported = records[3].clone();
    imported.id = "lora-0imported0".to_owned();
    imported.status = Status::Imported;
    imported.scores = None;
    let (_folder, results, first) = rendered(&records);
    let before = contents(&first);
    results.write(&imported).unwrap();
    let second = render(&results, "PEFT methods on movie reviews").unwrap();
    assert!(before == contents(&second));
    records.clear();
    let folder = tempfile::tempdir().unwrap();
    let results = ResultsDir::open(folder.path()).unwrap();
    results.write(&imported).unwrap();
    assert!(matches!(render(&results, "title"), Err(ReportError::NoRecords { .. })));
}

#[test]
fn charts_that_no_longer_apply_are_removed_and_other_files_stay() {
    let (_folder, results, first) = rendered(&small_suite());
    let mine = results.path().join("charts/mine.svg");
    fs::write(&mine, "").unwrap();
    for mut record in small_suite() {
        record.cost.peak_bytes = None;
        results.write(&record).unwrap();
    }
    let second = render(&results, "title").unwrap();
    let gone: Vec<_> = first.charts.iter().filter(|path| !path.exists()).collect();
    assert_eq!(gone.len(), 2);
    assert!(gone.iter().all(|path| path.to_string_lossy().contains("peak_memory")));
    assert!(second.paths().all(Path::exists) && mine.exists());
}

#[test]
fn each_task_has_charts_of_its_own() {
    let mut records = small_suite();
    let mut other = records[3].clone();
    other.id = "other".to_owned();
    other.task.name = "TREC (fine)".to_owned();
    records.push(other);
    let (markdown, html) = pages(&records);
    assert!(markdown.contains("## movie\n"), "{markdown}");
    assert!(markdown.contains("(charts/trec--fine--minilm-l6-learning_curves.png)"), "{markdown}");
    assert!(html.contains("<a href=\"#s0\">TREC (fine)</a>"));
}

#[test]
fn the_model_is_named_beside_the_task_where_there_are_several() {
    let mut records = small_suite();
    let mut other = records[3].clone();
    other.id = "other".to_owned();
    other.backbone.name = "another".to_owned();
    records.push(other);
    let (markdown, _) = pages(&records);
    assert!(markdown.contains("## movie on minilm-l6\n"), "{markdown}");
    assert!(markdown.contains("## movie on another\n"), "{markdown}");
}

#[test]
fn a_caption_counts_the_seeds_of_all_configurations() {
    let mut records = example::suite(&[1, 2, 3]);
    let (_, html) = pages(&records);
    assert!(html.contains(", 3 seeds, mean and 95 % interval"));
    let last = records.iter().rposition(|record| record.method.name == "lora");
    records.remove(last.expect("LoRA is in the suite"));
    let (_, html) = pages(&records);
    assert!(html.contains(", 2–3 seeds, mean and 95 % interval"));
}

#[test]
fn comparisons_with_names_alike_do_not_share_files() {
    let mut records = small_suite();
    records[3].task.fingerprint = "other data".to_owned();
    records[4].task.name = "MOVIE".to_owned();
    let prefixes = prefixes(&studies(compare(&records)));
    assert_eq!(prefixes, ["movie-minilm-l6-", "movie-minilm-l6-2-", "movie-minilm-l6-3-"]);
}

#[test]
fn what_the_suite_lacks_is_said_until_it_is_there() {
    let records = small_suite();
    let folder = tempfile::tempdir().unwrap();
    let results = ResultsDir::open(folder.path()).unwrap();
    let runs = records.iter().map(|record| record.id.clone()).collect();
    results.write_suite(&SuiteInfo { title: "Mine".to_owned(), runs }).unwrap();
    let said = "1 of 8 runs is not recorded yet";
    records[1..].iter().for_each(|record| drop(results.write(record).unwrap()));
    let page = |path: &Path| fs::read_to_string(path).unwrap();
    let rendered = render(&results, "Mine").unwrap();
    assert!(page(&rendered.markdown).contains(said) && page(&rendered.html).contains(said));
    results.write(&records[0]).unwrap();
    let rendered = render(&results, "Mine").unwrap();
    assert!(!page(&rendered.markdown).contains(said) && !page(&rendered.html).contains(said));
}

#[test]
fn processes_that_draw_at_the_same_time_leave_the_whole_report() {
    let records = small_suite();
    let (folder, _, alone) = rendered(&records);
    let shared = tempfile::tempdir().unwrap();
    let results = ResultsDir::open(shared.path()).unwrap();
    std::thread::scope(|scope| {
        for part in records.chunks(2) {
            let results = &results;
            scope.spawn(move || {
                part.iter().for_each(|record| drop(results.write(record).unwrap()));
                render(results, "PEFT methods on movie reviews").unwrap();
            });
        }
    });
    for path in alone.paths() {
        let name = path.strip_prefix(folder.path()).unwrap();
        assert!(fs::read(path).unwrap() == fs::read(shared.path().join(name)).unwrap(), "{name:?}");
    }
}

#[test]
fn what_a_killed_process_left_of_its_pages_is_removed() {
    let (folder, results, _) = rendered(&small_suite());
    let left = [".REPORT.md.x.partial", ".suite.json.x.partial", "charts/.a.svg.x.partial"];
    left.iter().for_each(|name| fs::write(folder.path().join(name), "half").unwrap());
    render(&results, "title").unwrap();
    assert!(left.iter().all(|name| !folder.path().join(name).exists()));
}

#[test]
fn the_pages_need_nothing_from_outside() {
    let (_, html) = pages(&small_suite());
    let links = html.replace("http://www.w3.org/2000/svg", "");
    for outside in ["http://", "https://", "src=", "url(", "@import", "<link"] {
        assert!(!links.contains(outside), "{outside}");
    }
    assert_eq!(html.matches("<svg ").count(), 12);
    assert_eq!(html.matches("<details data-series=").count(), 8);
}

#[test]
fn what_records_say_is_shown_and_never_obeyed() {
    let mut records = small_suite();
    let evil = "<script>alert(1)</script>\"'&|`";
    for record in &mut records {
        record.method.title += evil;
        record.method.config["note"] = evil.into();
        record.task.title = evil.to_owned();
        record.command = evil.to_owned();
        record.environment.hardware = evil.to_owned();
        record.details.insert(evil.to_owned(), evil.into());
        record.started = evil.to_owned();
    }
    let (markdown, html) = pages(&records);
    assert_eq!(html.matches("<script>").count(), 1); // the page's own
    assert!(html.contains("&lt;script&gt;alert(1)"));
    let (prose, commands) = markdown.split_once("## How to reproduce").unwrap();
    assert!(!prose.contains("<script>"));
    assert!(commands.contains(evil));
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    let (_, results) = prose.split_once("## Results").unwrap();
    let (results, _) = results.split_once("##").unwrap();
    let rows: Vec<_> = results.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows.len() > 8 && rows.iter().all(|row| columns(row) == 13), "{rows:?}");
}

#[test]
fn the_markdown_tells_finding_figures_notes_and_commands() {
    let (markdown, _) = pages(&small_suite());
    for part in [
        "# PEFT methods on movie reviews\n",
        "**LoRA rank=16 classifies 83.1 % of the test rows right",
        "| LoRA | rank=8 | 73,728 | 73,728 | 770 | 300 kB | 82.8 | 82.9 |",
        "](charts/accuracy_vs_trainable.png)](charts/accuracy_vs_trainable.svg)",
        "- 8 runs: device flex (Example CPU, 2 cores), 2 threads, linux x86_64; version 0.1.0 \
         (commit 0123456789ab), Burn 0.22.1",
        "```sh\nbench-suite run --method majority --seed 1\n",
    ] {
        assert!(markdown.contains(part), "{part} not in:\n{markdown}");
    }
}

#[test]
fn the_numbers_of_training_rows_of_one_task_share_a_section_and_never_a_table() {
    let records = example::studies::scarce();
    let (markdown, html) = pages(&records);
    assert_eq!(html.matches("<section id=\"s").count(), 1);
    assert_eq!(html.matches("<details class=\"part\">").count(), 4);
    for rows in ["64", "256", "1,000", "4,000"] {
        assert!(markdown.contains(&format!("## With {rows} training rows")), "{rows}");
    }
    assert!(markdown.contains("(charts/accuracy_vs_rows.svg)"), "{markdown}");
    assert!(markdown.contains("(charts/64-rows-who_beats_whom.svg)"), "{markdown}");
}

#[test]
fn tasks_stand_side_by_side_in_a_table_and_apart_in_charts() {
    let (markdown, html) = pages(&example::studies::tuned());
    assert!(markdown.contains("## The tasks side by side\n\nBest PEFT method on the validation"));
    assert!(markdown.contains("| Method | domain % | movie % |"));
    assert!(html.contains("<a href=\"#tasks\">All tasks</a>"));
    assert!(markdown.contains("(charts/domain-minilm-l6-learning_rates.svg)"));
}

#[test]
fn every_mark_of_a_series_can_be_hidden_and_every_point_tells_its_figures() {
    let (_, html) = pages(&example::studies::lengths());
    assert!(html.contains("<g data-series=\"Prompt Tuning N(0,1)\" data-budget=\"tokens=20\">"));
    assert!(html.contains("<tr data-series=\"P-Tuning LSTM\" data-budget=\"tokens=20\">"));
    assert!(html.contains("<title>Prefix-Tuning, Virtual tokens 100: 8"), "no tip");
    assert!(html.contains("Figures behind this chart"));
}

#[test]
fn what_records_say_cannot_end_the_data_of_the_page() {
    let mut records = small_suite();
    records[3].method.title = "</script><script>alert(1)</script>".to_owned();
    let (_, html) = pages(&records);
    assert_eq!(html.matches("</script>").count(), 2); // the data and the page's own
}

#[test]
fn runs_without_any_figures_still_make_a_report() {
    let (markdown, _) = pages(&example::all_diverged());
    assert!(markdown.contains("No PEFT method has a result"), "{markdown}");
    assert!(markdown.contains("LoRA rank=8 seed 1 (step 37)"), "{markdown}");
}

/// For people: `REPORT_PICTURES=folder cargo test -p report` leaves the charts and pages of every
/// example there, to be looked at.
#[test]
fn every_example_makes_a_report() {
    let cases = [
        ("one_seed", example::suite(&[1])),
        ("three_seeds", example::suite(&[1, 2, 3])),
        ("one_record", vec![example::find(&example::suite(&[1]), "LoRA rank=8").clone()]),
        ("same_point", example::same_point()),
        ("searched", example::searched()),
        ("many_methods", example::many_methods()),
        ("two_tasks", example::two_tasks()),
        ("all_diverged", example::all_diverged()),
        ("ranks", example::studies::ranks()),
        ("places", example::studies::places()),
        ("pruned", example::studies::pruned()),
        ("lengths", example::studies::lengths()),
        ("scarce", example::studies::scarce()),
        ("elsewhere", example::studies::elsewhere()),
        ("tuned", example::studies::tuned()),
    ];
    let Some(kept) = std::env::var_os("REPORT_PICTURES").map(PathBuf::from) else {
        let (_, records) = &cases[1];
        let (_folder, _, rendered) = rendered(records);
        assert!(rendered.paths().all(Path::exists));
        return;
    };
    for (name, records) in cases {
        let results = ResultsDir::open(&kept.join(name)).unwrap();
        records.iter().for_each(|record| drop(results.write(record).unwrap()));
        render(&results, "PEFT methods on movie reviews").unwrap();
    }
}
