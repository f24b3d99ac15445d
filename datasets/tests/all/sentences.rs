//! The named tasks, from small files in the format of the real ones.

use std::fmt::Write;

use datasets::{NAMED, named};
use tempfile::TempDir;

use super::{all, assert_no_leaks, folder};

/// Files of 120 rows each: movies and tweets one by one, reviews and editorials of six sentences.
fn sentences() -> TempDir {
    let file = |source: &str, whole: bool| {
        (0..120).fold(String::new(), |mut rows, i| {
            let id = if whole { format!("{}_{}", i / 6, i % 6) } else { format!("{i}") };
            let rating = [-1.5, 0.25, 3.0, -0.05][i % 4];
            write!(rows, "{id}\t{rating}\t{source} sentence {i}\r\n").unwrap();
            rows
        })
    };
    let movie = file("movie", false)
        + "900\t0\tneither\r\n901\t1\tMovie  sentence 1\r\n902\t1\tboth\r\n903\t-1\tboth\r\n";
    folder(&[
        ("movieReviewSnippets_GroundTruth.txt", movie.as_bytes()),
        ("amazonReviewSnippets_GroundTruth.txt", file("amazon", true).as_bytes()),
        ("nytEditorialSnippets_GroundTruth.txt", file("nyt", true).as_bytes()),
        ("tweets_GroundTruth.txt", file("tweet", false).as_bytes()),
    ])
}

#[test]
fn every_named_task_is_made_with_its_own_name_title_and_classes() {
    let dir = sentences();
    for known in NAMED {
        let task = named(known.name, dir.path()).unwrap();
        assert_eq!((task.name.as_str(), task.title.as_str()), (known.name, known.title));
        assert_eq!(task.classes, known.classes);
        assert_no_leaks(&task);
    }
}

#[test]
fn the_sign_of_the_rating_is_the_class_and_what_has_none_is_left_out() {
    let task = named("movie", sentences().path()).unwrap();
    assert_eq!(all(&task).len(), 120);
    for row in all(&task) {
        let i: usize = row.text.rsplit(' ').next().unwrap().parse().unwrap();
        assert_eq!(row.label, usize::from(i % 4 == 1 || i % 4 == 2), "{}", row.text);
    }
    assert_eq!(
        task.notes[..3],
        [
            "1 rows rated exactly 0 were left out",
            "2 rows of equal text with unequal labels were removed",
            "1 rows that repeat another were removed",
        ]
    );
}

#[test]
fn all_sentences_of_a_review_are_in_one_split() {
    let task = named("amazon", sentences().path()).unwrap();
    let reviews = |rows: &[datasets::Example]| {
        let number = |text: &str| text.rsplit(' ').next().unwrap().parse::<usize>().unwrap() / 6;
        rows.iter().map(|row| number(&row.text)).collect::<std::collections::BTreeSet<_>>()
    };
    let split = &task.split;
    let all = [reviews(&split.train), reviews(&split.validation), reviews(&split.test)];
    assert_eq!(all.iter().map(|set| set.len()).sum::<usize>(), 20);
    assert!(task.notes[0].contains("all sentences of one amazon review are in one split"));
}

#[test]
fn a_sentence_has_the_same_split_in_its_own_task_and_in_domain() {
    let dir = sentences();
    let (nyt, domain) = (named("nyt", dir.path()).unwrap(), named("domain", dir.path()).unwrap());
    for (rows, same) in
        [(&nyt.split.test, &domain.split.test), (&nyt.split.validation, &domain.split.validation)]
    {
        assert!(rows.iter().all(|row| same.iter().any(|other| other.text == row.text)));
    }
}

#[test]
fn mistakes_in_the_files_are_told() {
    let message = |name: &str, movie: &[u8]| {
        let dir = folder(&[("movieReviewSnippets_GroundTruth.txt", movie)]);
        named(name, dir.path()).unwrap_err().to_string()
    };
    let unknown = message("movies", b"");
    assert_eq!(
        unknown,
        "unknown task \"movies\"; the named tasks are movie, amazon, nyt, tweets, domain"
    );
    assert!(message("tweets", b"").contains("tweets_GroundTruth.txt: cannot be read"));
    let rating = message("movie", b"1\t1.5\tgood\n2\tnan\tbad\n");
    assert!(rating.contains("line 2: the rating \"nan\" is not a number"), "{rating}");
    assert!(message("movie", b"1\tgood\n").contains("line 1: has 2 fields"));
    let zeros = message("movie", b"1\t0\tgood\n2\t0.0\tbad\n");
    assert!(zeros.starts_with("task \"movie\": no row is left"), "{zeros}");
}
