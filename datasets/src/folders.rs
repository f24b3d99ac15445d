//! Standard benchmarks in the folders that they are commonly kept in.

use std::path::Path;
use std::sync::Arc;

use crate::rows::{self, Row};
use crate::split::{Draft, remove_duplicates};
use crate::{DataError, Encoding, FileTask, Format, LineProblem, Task, files, text};

/// A standard set that [`from_dir`] knows by name.
#[derive(Clone, Copy, Debug)]
pub struct FolderTask {
    /// Name of the task, e.g. `trec-fine`.
    pub name: &'static str,
    /// Name of the folder that holds it, e.g. `trec`.
    pub folder: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// What the classes are called where files have only numbers.
    classes: &'static [&'static str],
    read: fn(&Path) -> Result<Draft, DataError>,
}

/// The standard sets that [`from_dir`] knows by name.
pub const FOLDERS: &[FolderTask] = &[
    FolderTask {
        name: "sst2",
        folder: "sst2",
        title: "SST-2: sentiment of phrases and sentences from movie reviews",
        classes: &["negative", "positive"],
        read: sst2,
    },
    FolderTask {
        name: "trec",
        folder: "trec",
        title: "TREC: what a question asks for, 6 coarse classes",
        classes: &[],
        read: |dir| trec(dir, |class| class.split(':').next().unwrap_or(class)),
    },
    FolderTask {
        name: "trec-fine",
        folder: "trec",
        title: "TREC: what a question asks for, 50 fine classes",
        classes: &[],
        read: |dir| trec(dir, |class| class),
    },
    FolderTask {
        name: "cola",
        folder: "cola",
        title: "CoLA: is the sentence acceptable English?",
        classes: &["unacceptable", "acceptable"],
        read: cola,
    },
    FolderTask {
        name: "banking77",
        folder: "banking77",
        title: "BANKING77: intent of a bank customer, 77 classes",
        classes: &[],
        read: banking77,
    },
    FolderTask {
        name: "subj",
        folder: "subj",
        title: "Subjectivity: opinion or plot?",
        classes: &[],
        read: subj,
    },
];

/// Reads the task `name` from `dir`: the folder that holds its files, or the one above.
///
/// The names of [`FOLDERS`] are read in their own layouts; any other name is a folder with
/// `train`, `validation` (or `dev`) and `test` files in CSV, TSV or JSON Lines.
///
/// # Errors
/// Everything in [`DataError`] that concerns a file, a row or a label.
pub fn from_dir(dir: &Path, name: &str) -> Result<Task, DataError> {
    let known = FOLDERS.iter().find(|folder| folder.name == name);
    let below = dir.join(known.map_or(name, |folder| folder.folder));
    let dir = if below.is_dir() { &below } else { dir };
    let Some(folder) = known else {
        let (name, train) = (Some(name.to_owned()), dir.to_owned());
        return files::from_files(&FileTask { name, train, ..FileTask::default() });
    };
    let mut draft = (folder.read)(dir)?;
    draft.name = folder.name.to_owned();
    draft.title = folder.title.to_owned();
    let mut task = draft.finish()?;
    for class in &mut task.classes {
        if let Some(known) = class.parse::<usize>().ok().and_then(|n| folder.classes.get(n)) {
            *class = (*known).to_owned();
        }
    }
    Ok(task)
}

/// A draft that [`from_dir`] gives its name.
fn draft(train: Vec<Row>, test: Option<Vec<Row>>, notes: Vec<String>) -> Draft {
    Draft { name: String::new(), title: String::new(), train, validation: None, test, notes }
}

fn sst2(dir: &Path) -> Result<Draft, DataError> {
    let spec = FileTask::default();
    let train = rows::read(&dir.join("train.tsv"), &spec)?;
    let test = rows::read(&dir.join("dev.tsv"), &spec)?;
    let notes = vec![
        "test is GLUE's dev set: GLUE's own test labels are not public".to_owned(),
        "train and validation share sentences: many rows are phrases of others, so validation \
         accuracy is high"
            .to_owned(),
    ];
    Ok(draft(train, Some(test), notes))
}

fn cola(dir: &Path) -> Result<Draft, DataError> {
    let spec = FileTask {
        text: Some("4".to_owned()),
        label: Some("2".to_owned()),
        format: Some(Format::Tsv),
        ..FileTask::default()
    };
    let read = |file: &str| rows::read(&dir.join(file), &spec);
    let mut test = read("in_domain_dev.tsv")?;
    test.extend(read("out_of_domain_dev.tsv")?);
    let note = "test is the in-domain and the out-of-domain dev set: test labels are not public";
    Ok(draft(read("in_domain_train.tsv")?, Some(test), vec![note.to_owned()]))
}

fn banking77(dir: &Path) -> Result<Draft, DataError> {
    let spec = FileTask { label: Some("category".to_owned()), ..FileTask::default() };
    let read = |file: &str| rows::read(&dir.join(file), &spec);
    Ok(draft(read("train.csv")?, Some(read("test.csv")?), Vec::new()))
}

fn trec(dir: &Path, class: fn(&str) -> &str) -> Result<Draft, DataError> {
    let read = |file: &str| {
        lines(&dir.join(file), Encoding::Latin1, |line| {
            let (label, question) =
                line.split_once(' ').filter(|(label, _)| label.contains(':'))?;
            Some((question.to_owned(), class(label).to_owned()))
        })
    };
    Ok(draft(read("train.txt")?, Some(read("test.txt")?), Vec::new()))
}

fn subj(dir: &Path) -> Result<Draft, DataError> {
    let read = |file: &str, class: &str| {
        lines(&dir.join(file), Encoding::Utf8, |line| Some((line.to_owned(), class.to_owned())))
    };
    let mut train = read("plot.tok.gt9.5000", "objective")?;
    train.extend(read("quote.tok.gt9.5000", "subjective")?);
    let notes = remove_duplicates(&mut train);
    Ok(draft(train, None, notes))
}

/// A row from each line that is not empty; `parse` gives text and label.
fn lines(
    path: &Path,
    encoding: Encoding,
    parse: impl Fn(&str) -> Option<(String, String)>,
) -> Result<Vec<Row>, DataError> {
    let content = text::read(path, encoding)?;
    let file: Arc<Path> = path.into();
    let lines = content.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(i, line)| match parse(line) {
            Some((text, label)) => Ok(Row::new(&file, i + 1, &text, &label)),
            None => Err(LineProblem::NotAQuestion { value: line.to_owned() }.at(path, i + 1)),
        })
        .collect()
}
