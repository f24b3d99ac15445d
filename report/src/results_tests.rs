use super::*;
use crate::example;
use crate::record::{RowSet, Status};

fn opened() -> (tempfile::TempDir, ResultsDir) {
    let folder = tempfile::tempdir().unwrap();
    let results = ResultsDir::open(&folder.path().join("results/quick")).unwrap();
    (folder, results)
}

fn one_line(error: ReportError) -> String {
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

#[test]
fn what_was_written_is_read_again_unchanged() {
    let (_folder, results) = opened();
    for mut record in example::suite(&[1]) {
        record.cost.train_seconds = 0.1 + 0.2; // not a short decimal
        record.details.insert("rank".to_owned(), serde_json::json!({"z": 1, "a": [2.5, null]}));
        let path = results.write(&record).unwrap();
        assert_eq!(path, results.path().join(format!("{}.json", record.id)));
        assert!(results.contains(&record.id));
        assert_eq!(results.read(&record.id).unwrap(), record);
    }
}

#[test]
fn records_come_in_an_order_of_their_own() {
    let (_folder, results) = opened();
    let mut records = example::suite(&[2, 1]);
    records.reverse();
    records.iter().for_each(|record| drop(results.write(record).unwrap()));
    let read = results.read_all().unwrap();
    let names: Vec<String> =
        read.iter().map(|r| format!("{} {} seed {}", r.method.name, r.label(), r.seed)).collect();
    assert_eq!(names.len(), records.len());
    assert_eq!(
        names[..4],
        [
            "full Full fine-tuning seed 1",
            "full Full fine-tuning seed 2",
            "head Head only seed 1",
            "head Head only seed 2",
        ]
    );
    let place = |name: &str| names.iter().position(|n| n == name).unwrap();
    assert!(place("lora LoRA rank=4 seed 2") < place("lora LoRA rank=16 seed 1"));
}

#[test]
fn files_half_written_or_of_other_kinds_are_not_read() {
    let (_folder, results) = opened();
    for name in [".x.partial", "a.json.partial", ".hidden.json", "runs.csv", ".lock"] {
        fs::write(results.path().join(name), "{").unwrap();
    }
    fs::create_dir(results.path().join("charts.json")).unwrap();
    assert_eq!(results.read_all().unwrap(), []);
}

#[test]
fn a_file_in_place_of_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quick");
    fs::write(&path, "").unwrap();
    let text = one_line(ResultsDir::open(&path).unwrap_err());
    assert!(text.contains("quick: not a folder"), "{text}");
    let text = one_line(ResultsDir::open(&path.join("below")).unwrap_err());
    assert!(text.contains("cannot create"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files_is_refused_when_opened() {
    // Nobody can write here, not even root.
    let text = one_line(ResultsDir::open("/proc/self".as_ref()).unwrap_err());
    assert!(text.starts_with("/proc/self: cannot write into this folder"), "{text}");
}

#[test]
fn a_broken_record_is_named_with_its_field_and_the_way_out() {
    let (_folder, results) = opened();
    let record = &example::suite(&[1])[0];
    let path = results.write(record).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let cases = [
        (good.replace("\"n_test\": 1061", "\"n_test\": \"many\""), "field `task.n_test`: invalid"),
        (good.replace("\"n_test\": 1061", "\"n_tests\": 1061"), "unknown field `n_tests`"),
        (good.replace("\"seed\": 1,", ""), "missing field `seed`"),
        (good[..good.len() / 2].to_owned(), "EOF while parsing"),
        (format!("{good}}}"), "trailing characters"),
        (good.replace("\"finished\"", "\"fine\""), "unknown variant `fine`"),
        (String::new(), "EOF while parsing"),
    ];
    for (text, problem) in cases {
        fs::write(&path, text).unwrap();
        let error = one_line(results.read_all().unwrap_err());
        assert!(error.contains(&*path.to_string_lossy()), "{error}");
        assert!(error.contains(problem), "{error}");
        assert!(error.ends_with("delete the file to run it again"), "{error}");
    }
}

#[test]
fn records_of_others_and_of_later_programs_are_told_apart() {
    let (_folder, results) = opened();
    let path = results.path().join("x.json");
    fs::write(&path, r#"{"name": "package"}"#).unwrap();
    let text = one_line(results.read_all().unwrap_err());
    assert!(
        text.ends_with(
            "x.json: not a run record (no field `schema`); move it out of the results folder"
        ),
        "{text}"
    );
    fs::write(&path, r#"{"schema": 3, "quite": "different"}"#).unwrap();
    let text = one_line(results.read_all().unwrap_err());
    assert!(text.contains("`schema` is 3, this program reads up to 2; update"), "{text}");
}

#[test]
fn a_renamed_record_is_noticed() {
    let (_folder, results) = opened();
    let path = results.write(&example::suite(&[1])[1]).unwrap();
    fs::rename(&path, path.with_file_name("mine.json")).unwrap();
    let text = one_line(results.read("mine").unwrap_err());
    assert!(text.contains("mine.json: holds run head0-1; rename it to head0-1.json"), "{text}");
}

#[test]
fn ids_that_would_leave_the_folder_are_refused() {
    let (_folder, results) = opened();
    for id in ["", "../x", "a/b", "a b", ".lock", "é"] {
        let text = one_line(results.read(id).unwrap_err());
        assert!(text.contains("only letters, digits"), "{text}");
        assert!(!results.contains(id));
    }
    let text = one_line(results.read("nope").unwrap_err());
    assert!(text.contains("no record of run nope; 0 runs are recorded"), "{text}");
}

#[test]
fn a_figure_that_is_not_finite_is_refused_by_name() {
    let (_folder, results) = opened();
    let mut record = example::suite(&[1])[3].clone();
    record.scores.as_mut().unwrap().test_loss = f64::NAN;
    let text = one_line(results.write(&record).unwrap_err());
    assert!(text.contains("field `scores.test_loss` cannot be recorded"), "{text}");

    let mut record = example::suite(&[1])[3].clone();
    record.curve[2].train_loss = Some(f64::INFINITY);
    one_line(results.write(&record).unwrap_err());
    assert!(!results.contains(&record.id));
}

#[test]
fn a_diverged_run_without_scores_is_a_record_like_any_other() {
    let (_folder, results) = opened();
    let record = &example::all_diverged()[0];
    results.write(record).unwrap();
    let read = results.read(&record.id).unwrap();
    assert_eq!((read.status, read.scores), (Status::Diverged { step: 37 }, None));
}

#[test]
fn a_folder_that_vanished_is_an_error_and_not_a_loss_in_silence() {
    let (_folder, results) = opened();
    fs::remove_dir(results.path()).unwrap();
    let text = one_line(results.write(&example::suite(&[1])[0]).unwrap_err());
    assert!(text.contains("cannot write"), "{text}");
    one_line(results.read_all().unwrap_err());
}

#[test]
fn a_record_of_the_first_schema_is_read_and_one_of_this_schema_keeps_its_search() {
    let (_folder, results) = opened();
    let mut record = example::suite(&[1]).remove(4);
    let path = results.write(&record).unwrap();
    let text = fs::read_to_string(&path).unwrap().replace("\"schema\": 2", "\"schema\": 1");
    for name in ["search", "transfer", "test_correct"] {
        assert!(!text.contains(name), "{name} is written though there is none");
    }
    fs::write(&path, text).unwrap();
    assert_eq!(results.read(&record.id).unwrap(), RunRecord { schema: 1, ..record.clone() });

    record.search = Some(example::search(&record));
    record.transfer = vec![example::transfer()];
    record.scores.as_mut().unwrap().test_correct = Some(RowSet::of(&[true, false, true]));
    results.write(&record).unwrap();
    assert_eq!(results.read(&record.id).unwrap(), record);
    let mut rerun = record.clone();
    rerun.search.as_mut().unwrap().trials[0].seconds *= 2.0;
    assert_eq!(rerun.outcome(), record.outcome());
    rerun.search.as_mut().unwrap().chosen *= 2.0;
    assert_ne!(rerun.outcome(), record.outcome());
}

#[test]
fn a_place_can_be_checked_without_leaving_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    ResultsDir::check(&folder.path().join("results/quick")).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    fs::write(folder.path().join("file"), "").unwrap();
    for below in ["file", "file/out"] {
        let text = one_line(ResultsDir::check(&folder.path().join(below)).unwrap_err());
        assert!(text.contains("file: not a folder"), "{text}");
    }
}

#[test]
fn a_run_is_done_by_one_process_and_by_none_once_it_is_recorded() {
    let (_folder, results) = opened();
    let record = &example::suite(&[1])[0];
    let Claim::Mine(lock) = results.claim(&record.id).unwrap() else { panic!("not mine") };
    assert!(matches!(results.claim(&record.id).unwrap(), Claim::HeldBy(_)));
    assert!(matches!(results.claim("another-1").unwrap(), Claim::Mine(_)));
    results.write(record).unwrap();
    assert!(matches!(results.claim(&record.id).unwrap(), Claim::Recorded));
    drop(lock);
    assert!(matches!(results.claim(&record.id).unwrap(), Claim::Recorded));
    let lock = results.path().join(format!(".{}.lock", record.id));
    assert!(!lock.exists());
    fs::write(&lock, "process 1 on host elsewhere").unwrap();
    assert!(matches!(results.claim(&record.id).unwrap(), Claim::Recorded));
    assert!(!lock.exists());
}

#[test]
fn a_recorded_run_without_its_tensors_is_still_to_be_done_for_who_asks_for_them() {
    let (_folder, results) = opened();
    let mut record = example::suite(&[1]).remove(0);
    results.write(&record).unwrap();
    let id = record.id.clone();
    assert!(results.has(&id, false) && !results.has(&id, true) && !results.has("other-1", true));
    assert!(matches!(results.claim(&id).unwrap(), Claim::Recorded));
    let Claim::Mine(lock) = results.claim_with(&id, true).unwrap() else { panic!("not mine") };
    assert!(matches!(results.claim_with(&id, true).unwrap(), Claim::HeldBy(_)));
    let tensors = results.trained_path(&id);
    fs::create_dir_all(tensors.parent().unwrap()).unwrap();
    fs::write(&tensors, "numbers").unwrap();
    drop(lock);
    assert!(matches!(results.claim_with(&id, true).unwrap(), Claim::Recorded));
    // A run that diverged before its first evaluation has none to miss.
    fs::remove_file(tensors).unwrap();
    record.scores = None;
    results.write(&record).unwrap();
    assert!(results.has(&id, true));
}

#[test]
fn what_a_killed_process_left_of_a_run_goes_when_the_run_is_claimed() {
    let (_folder, results) = opened();
    fs::create_dir(results.path().join("trained")).unwrap();
    let (mine, others) = ("trained/.lora-1.safetensors.x.partial", ".lora-12.json.x.partial");
    for name in [mine, others, ".lora-1.json.y.partial"] {
        fs::write(results.path().join(name), "half").unwrap();
    }
    let _claim = results.claim("lora-1").unwrap();
    let is_there = |name: &str| results.path().join(name).exists();
    assert!(!is_there(mine) && !is_there(".lora-1.json.y.partial") && is_there(others));
}
