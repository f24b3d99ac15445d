use super::*;
use crate::example;

/// A folder below `desk` with these records and tensor files of the size that they tell.
fn folder(desk: &Path, name: &str, records: &[RunRecord]) -> ResultsDir {
    let results = ResultsDir::open(&desk.join(name)).unwrap();
    for record in records {
        results.write(record).unwrap();
        let tensors = results.trained_path(&record.id);
        make_folder(tensors.parent().unwrap()).unwrap();
        fs::write(tensors, vec![7; record.counts.bytes_on_disk as usize]).unwrap();
    }
    results
}

fn records() -> Vec<RunRecord> {
    let mut records = example::suite(&[1]);
    records.truncate(5);
    records.iter_mut().for_each(|record| record.counts.bytes_on_disk = 9);
    records
}

fn suite(title: &str, records: &[RunRecord]) -> SuiteInfo {
    let runs = records.iter().map(|record| record.id.clone()).collect();
    SuiteInfo { title: title.to_owned(), runs }
}

/// Every file below, with its bytes; locks are no files of anybody.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.to_string_lossy().ends_with(".lock") {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

#[test]
fn parts_become_the_whole_with_records_tensors_and_suite() {
    let desk = tempfile::tempdir().unwrap();
    let records = records();
    let whole = folder(desk.path(), "whole", &records);
    whole.write_suite(&suite("Mine", &records)).unwrap();
    let parts = [&records[..3], &records[2..]].map(|part| {
        let part = folder(desk.path(), &format!("part-{}", part.len()), part);
        part.write_suite(&suite("Mine", &records)).unwrap();
        part
    });
    let to = desk.path().join("all/of/it");
    assert_eq!(merge(&parts, &to).unwrap(), Merged { n_new: 5, n_runs: 5 });
    let bare = |folder: &Path| -> BTreeMap<PathBuf, Vec<u8>> {
        let strip = |path: PathBuf| path.strip_prefix(folder).unwrap().to_owned();
        files(folder).into_iter().map(|(path, bytes)| (strip(path), bytes)).collect()
    };
    assert_eq!(bare(&to), bare(whole.path()));
    assert_eq!(merge(&parts, &to).unwrap(), Merged { n_new: 0, n_runs: 5 });
    assert_eq!(bare(&to), bare(whole.path()));
}

#[test]
fn what_only_training_needs_comes_along_with_the_tensors() {
    let desk = tempfile::tempdir().unwrap();
    let records = records();
    let part = folder(desk.path(), "part", &records);
    let state =
        |results: &ResultsDir| ResultsDir::state_path(&results.trained_path(&records[1].id));
    fs::write(state(&part), "state").unwrap();
    let to = desk.path().join("all");
    merge(&[part], &to).unwrap();
    let merged = ResultsDir::existing(&to).unwrap();
    assert_eq!(fs::read(state(&merged)).unwrap(), b"state");
    let n_files = fs::read_dir(to.join("trained")).unwrap().count();
    assert_eq!(n_files, records.len() + 1);
}

#[test]
fn a_run_done_twice_with_an_equal_outcome_is_kept_as_it_is() {
    let desk = tempfile::tempdir().unwrap();
    let records = records();
    let mut slower = records.clone();
    slower.iter_mut().for_each(|record| record.cost.train_seconds += 1.0);
    let to = folder(desk.path(), "to", &records[..2]);
    let from = folder(desk.path(), "from", &slower);
    assert_eq!(merge(&[from], to.path()).unwrap(), Merged { n_new: 3, n_runs: 5 });
    assert_eq!(to.read(&records[0].id).unwrap(), records[0]);
    assert_eq!(to.read(&records[4].id).unwrap(), slower[4]);
}

#[test]
fn two_outcomes_of_one_run_are_refused_with_files_and_field_and_nothing_is_written() {
    let desk = tempfile::tempdir().unwrap();
    let records = records();
    let mut other = records.clone();
    other[4].scores.as_mut().unwrap().test_accuracy = 0.5;
    other[4].curve.pop();
    let to = folder(desk.path(), "to", &records[4..]);
    let from = folder(desk.path(), "from", &other);
    let before = files(desk.path());
    let text = merge(&[from], to.path()).unwrap_err().to_string();
    let name = format!("{}.json", records[4].id);
    for part in
        [&format!("to/{name}"), &format!("from/{name}"), "`scores.test_accuracy` is ", "0.5"]
    {
        assert!(text.contains(part), "{part} not in {text}");
    }
    assert!(!text.contains('\n'), "{text}");
    assert_eq!(files(desk.path()), before);
}

#[test]
fn tensors_come_later_to_a_record_that_lacks_them_and_replace_none() {
    let desk = tempfile::tempdir().unwrap();
    let records = records();
    let to = folder(desk.path(), "to", &records[..2]);
    fs::remove_file(to.trained_path(&records[0].id)).unwrap();
    fs::write(to.trained_path(&records[1].id), [1; 9]).unwrap();
    merge(&[folder(desk.path(), "from", &records[..2])], to.path()).unwrap();
    assert_eq!(fs::read(to.trained_path(&records[0].id)).unwrap(), [7; 9]);
    assert_eq!(fs::read(to.trained_path(&records[1].id)).unwrap(), [1; 9]);
}

#[test]
fn a_half_copied_tensor_file_and_a_folder_without_results_are_refused_untouched() {
    let desk = tempfile::tempdir().unwrap();
    let records = records();
    let from = folder(desk.path(), "from", &records);
    fs::write(from.trained_path(&records[3].id), [7; 5]).unwrap();
    let to = desk.path().join("to");
    let text = merge(std::slice::from_ref(&from), &to).unwrap_err().to_string();
    assert!(text.contains("holds 5 bytes, its record says 9; copy the file again"), "{text}");
    let empty = ResultsDir::open(&desk.path().join("empty")).unwrap();
    let text = merge(&[empty], &to).unwrap_err().to_string();
    assert!(text.contains("empty: no run records"), "{text}");
    assert!(!to.exists());
}

#[test]
fn a_part_that_had_nothing_to_do_is_a_part_like_any_other() {
    let desk = tempfile::tempdir().unwrap();
    let records = records();
    let idle = ResultsDir::open(&desk.path().join("idle")).unwrap();
    idle.write_suite(&suite("Mine", &records)).unwrap();
    let busy = folder(desk.path(), "busy", &records[..1]);
    let to = desk.path().join("to");
    assert_eq!(merge(&[idle, busy], &to).unwrap(), Merged { n_new: 1, n_runs: 1 });
    let told = ResultsDir::existing(&to).unwrap().suite().unwrap().unwrap();
    assert_eq!((told.title.as_str(), told.runs.len()), ("Mine", 5));
}

#[test]
fn a_run_that_is_being_done_where_it_should_go_is_left_to_its_process() {
    let desk = tempfile::tempdir().unwrap();
    let records = records();
    let to = ResultsDir::open(&desk.path().join("to")).unwrap();
    let Claim::Mine(lock) = to.claim(&records[0].id).unwrap() else { panic!("not mine") };
    let from = folder(desk.path(), "from", &records[..1]);
    let text = merge(std::slice::from_ref(&from), to.path()).unwrap_err().to_string();
    assert!(text.contains(&format!("is doing run {}", records[0].id)), "{text}");
    drop(lock);
    merge(&[from], to.path()).unwrap();
}

#[test]
fn the_first_difference_is_named_by_its_path() {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let first = |a: &str, b: &str| first_difference(&json(a), &json(b), "");
    let told = |path: &str, a: &str, b: &str| Some((path.to_owned(), a.to_owned(), b.to_owned()));
    assert_eq!(first(r#"{"a": [1, {"b": 2}]}"#, r#"{"a": [1, {"b": 2}]}"#), None);
    assert_eq!(
        first(r#"{"a": [1, {"b": 2}]}"#, r#"{"a": [1, {"b": 3}]}"#),
        told("a.1.b", "2", "3")
    );
    assert_eq!(first(r#"{"a": []}"#, r#"{"a": [1]}"#), told("a", "a list of 0", "a list of 1"));
    assert_eq!(first("{}", r#"{"c": "x"}"#), told("c", "null", "\"x\""));
}
