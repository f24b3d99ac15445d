//! Models that nobody registered: from the hub and from local folders.

use super::*;
use crate::mock_hub::{COMMIT, MockHub};

#[test]
fn a_model_nobody_registered_comes_from_the_hub_and_stays_at_its_commit() {
    let hub = MockHub::serve(hub_files());
    let scene = Scene::new(&hub.url);
    let got = scene.store().model("org/tiny").unwrap();
    assert_eq!(got.origin, "hub org/tiny");
    assert!(got.path.ends_with("hub/org--tiny@main"));
    let manifest = fs::read_to_string(got.path.join("manifest.toml")).unwrap();
    assert!(manifest.contains(COMMIT), "{manifest}");
    let again = scene.offline_store().model("org/tiny").unwrap();
    assert_eq!(again.origin, "cache");
    fs::write(again.path.join("model.safetensors"), "cut").unwrap();
    let error = scene.offline_store().model("org/tiny").unwrap_err().to_string();
    assert!(error.contains("model.safetensors has the wrong size"), "{error}");
}

#[test]
fn a_repository_without_usable_weights_says_so_before_any_download() {
    for (other, part) in
        [("pytorch_model.bin", "convert"), ("model.safetensors.index.json", "sharded")]
    {
        let mut files = hub_files();
        files[2].name = other;
        let hub = MockHub::serve(files);
        let (failure, message) = failure_of(Scene::new(&hub.url).store().model("org/tiny"));
        assert!(matches!(failure, Failure::Incomplete(_)) && message.contains(part), "{message}");
        assert_eq!(hub.n_downloads(), 0);
    }
}

#[test]
fn a_local_folder_is_used_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap();
    let store = Scene::new("").offline_store();
    fs::write(folder.path().join("config.json"), "{}").unwrap();
    let error = store.model(name).unwrap_err().to_string();
    assert!(error.contains("it lacks tokenizer.json, model.safetensors"), "{error}");
    for file in NAMES {
        fs::write(folder.path().join(file), "{}").unwrap();
    }
    let got = store.model(name).unwrap();
    assert_eq!((got.path.as_path(), got.origin.as_str()), (folder.path(), "local directory"));
}

#[test]
fn what_is_no_model_is_told_apart() {
    let store = Scene::new("").offline_store();
    let message = |name: &str| store.model(name).unwrap_err().to_string();
    assert!(
        message("minilm").contains("no model is named `minilm`; registered are: minilm-l6, tiny")
    );
    assert!(message("sentiment-sentences").contains("is data, not a model"));
    assert!(message("./nowhere").contains("no folder `./nowhere`"));
    assert!(message("a/b/c").contains("org/name"));
    let error = store.fetch("nothing").unwrap_err();
    assert!(matches!(error, AssetError::Unknown { known, .. } if known.len() == 3));
}
