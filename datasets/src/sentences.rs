//! The named tasks: 23,703 sentences from four sources with mean ratings by human raters.

use std::path::Path;
use std::sync::Arc;

use crate::rows::Row;
use crate::split::{Draft, remove_duplicates};
use crate::{DataError, Encoding, LineProblem, Task, delimited, text};

/// A task that the product fetches itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedTask {
    /// Short name, e.g. `movie`.
    pub name: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// Names of the classes, in label order.
    pub classes: &'static [&'static str],
}

const SENTIMENT: &[&str] = &["negative", "positive"];

/// The named tasks; the first is the default.
pub const NAMED: &[NamedTask] = &[
    NamedTask {
        name: "movie",
        title: "Sentiment of sentences from movie reviews",
        classes: SENTIMENT,
    },
    NamedTask {
        name: "amazon",
        title: "Sentiment of sentences from product reviews",
        classes: SENTIMENT,
    },
    NamedTask {
        name: "nyt",
        title: "Sentiment of sentences from newspaper editorials",
        classes: SENTIMENT,
    },
    NamedTask { name: "tweets", title: "Sentiment of tweets", classes: SENTIMENT },
    NamedTask {
        name: "domain",
        title: "Source of a sentence: product review, movie review, editorial or tweet",
        classes: &["amazon", "movie", "nyt", "tweets"],
    },
];

/// One file of sentences.
struct Source {
    name: &'static str,
    file: &'static str,
    /// What several rows are sentences of, if they are: then ids read `<whole>_<sentence>`.
    whole: Option<&'static str>,
}

const SOURCES: &[Source] = &[
    Source { name: "movie", file: "movieReviewSnippets_GroundTruth.txt", whole: None },
    Source { name: "amazon", file: "amazonReviewSnippets_GroundTruth.txt", whole: Some("review") },
    Source { name: "nyt", file: "nytEditorialSnippets_GroundTruth.txt", whole: Some("editorial") },
    Source { name: "tweets", file: "tweets_GroundTruth.txt", whole: None },
];

/// Makes a task of [`NAMED`] from the folder that holds the four files of sentences.
///
/// # Errors
/// [`DataError::UnknownTask`], [`DataError::Read`], or a malformed line.
pub fn named(name: &str, sentences_dir: &Path) -> Result<Task, DataError> {
    let Some(task) = NAMED.iter().find(|task| task.name == name) else {
        let known = NAMED.iter().map(|task| task.name.to_owned()).collect();
        return Err(DataError::UnknownTask { name: name.to_owned(), known });
    };
    let mut notes = Vec::new();
    let mut train = Vec::new();
    for source in SOURCES.iter().filter(|source| source.name == name || name == "domain") {
        let rows = read(&sentences_dir.join(source.file), source)?;
        let n_rows = rows.len();
        let label = |rating: f64| match rating {
            _ if name == "domain" => Some(source.name),
            rating if rating < 0.0 => Some("negative"),
            rating if rating > 0.0 => Some("positive"),
            _ => None,
        };
        train.extend(rows.into_iter().filter_map(|(rating, mut row)| {
            row.label = label(rating)?.to_owned();
            Some(row)
        }));
        if name != "domain" && train.len() < n_rows {
            notes.push(format!("{} rows rated exactly 0 were left out", n_rows - train.len()));
        }
        if let Some(whole) = source.whole {
            notes.push(format!("all sentences of one {} {whole} are in one split", source.name));
        }
    }
    notes.extend(remove_duplicates(&mut train));
    let (name, title) = (task.name.to_owned(), task.title.to_owned());
    Draft { name, title, train, validation: None, test: None, notes }.finish()
}

/// The rows of one file with their ratings: id, mean rating and text, separated by tabs.
fn read(path: &Path, source: &Source) -> Result<Vec<(f64, Row)>, DataError> {
    let text = text::read(path, Encoding::Utf8)?;
    let file: Arc<Path> = path.into();
    let row = |record: delimited::Record| {
        let line = record.line;
        let [id, rating, text] = &record.fields[..] else {
            let problem = LineProblem::FieldCount { found: record.fields.len(), expected: 3 };
            return Err(problem.at(path, line));
        };
        let Some(value) = rating.parse::<f64>().ok().filter(|value| value.is_finite()) else {
            return Err(LineProblem::Rating { value: rating.clone() }.at(path, line));
        };
        let mut row = Row::new(&file, line, text, "");
        row.group = source.whole.map(|_| {
            let whole = id.split('_').next().unwrap_or(id);
            format!("{} {whole}", source.name)
        });
        Ok((value, row))
    };
    delimited::tsv(&text).into_iter().map(row).collect()
}
