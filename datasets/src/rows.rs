//! Rows as files have them: CSV, TSV and JSON Lines, with columns by name or number.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::delimited::{self, Record};
use crate::{DataError, FileTask, Format, LineProblem, text};

/// A row before classes have numbers.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub text: String,
    pub pair: Option<String>,
    pub label: String,
    /// What it is a part of, e.g. a review; parts of one thing stay in one split.
    pub group: Option<String>,
    /// Where it stands, for messages.
    pub file: Arc<Path>,
    pub line: usize,
}

impl Row {
    /// A row of one text.
    pub fn new(file: &Arc<Path>, line: usize, text: &str, label: &str) -> Self {
        Row {
            text: text.to_owned(),
            pair: None,
            label: label.to_owned(),
            group: None,
            file: file.clone(),
            line,
        }
    }
}

/// A column to look for.
struct Wanted<'a> {
    role: &'static str,
    given: Option<&'a str>,
    defaults: &'static [&'static str],
}

impl Wanted<'_> {
    /// The column by its given or default name.
    fn by_name(&self, names: &[String]) -> Option<usize> {
        let find = |wanted: &str| {
            let exact = names.iter().position(|name| name == wanted);
            exact.or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(wanted)))
        };
        match self.given {
            Some(given) => find(given),
            None => self.defaults.iter().find_map(|name| find(name)),
        }
    }

    /// The column by its given number, from 1, of `n_columns`.
    fn by_number(&self, n_columns: usize) -> Option<usize> {
        let number = self.given?.parse::<usize>().ok()?;
        (1..=n_columns).contains(&number).then(|| number - 1)
    }

    fn missing(&self, found: &[String]) -> LineProblem {
        let wanted = match self.given {
            Some(given) => format!("{given:?}"),
            None => self.defaults.join(" or "),
        };
        LineProblem::MissingColumn { role: self.role, wanted, found: found.to_vec() }
    }
}

/// The columns of a task.
struct Columns<'a> {
    text: Wanted<'a>,
    pair: Option<Wanted<'a>>,
    label: Option<Wanted<'a>>,
}

impl<'a> Columns<'a> {
    fn of(spec: &'a FileTask, with_labels: bool) -> Self {
        let wanted = |role, given: &'a Option<String>, defaults| Wanted {
            role,
            given: given.as_deref(),
            defaults,
        };
        Columns {
            text: wanted("text", &spec.text, &["text", "sentence"]),
            pair: spec.pair.is_some().then(|| wanted("pair", &spec.pair, &[])),
            label: with_labels.then(|| wanted("label", &spec.label, &["label"])),
        }
    }
}

/// The rows of one file.
pub(crate) fn read(path: &Path, spec: &FileTask) -> Result<Vec<Row>, DataError> {
    read_columns(path, spec, true)
}

/// The rows of one file with empty labels, whatever the file has.
pub(crate) fn read_texts(path: &Path, spec: &FileTask) -> Result<Vec<Row>, DataError> {
    read_columns(path, spec, false)
}

fn read_columns(path: &Path, spec: &FileTask, with_labels: bool) -> Result<Vec<Row>, DataError> {
    // A wrong path is told before a wrong extension, and that before wrong content.
    std::fs::metadata(path).map_err(|source| DataError::Read { path: path.to_owned(), source })?;
    let format = match spec.format {
        Some(format) => format,
        None => Format::of(path)?,
    };
    let text = text::read(path, spec.encoding)?;
    let columns = Columns::of(spec, with_labels);
    let has_header = spec.has_header(with_labels);
    let rows = match format {
        Format::Csv => {
            let records = delimited::csv(&text).map_err(|(line, p)| p.at(path, line))?;
            delimited_rows(path, records, &columns, has_header)?
        }
        Format::Tsv => delimited_rows(path, delimited::tsv(&text), &columns, has_header)?,
        Format::Jsonl => json_rows(path, &text, &columns)?,
    };
    if rows.is_empty() {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    Ok(rows)
}

fn delimited_rows(
    path: &Path,
    mut records: Vec<Record>,
    columns: &Columns,
    has_header: bool,
) -> Result<Vec<Row>, DataError> {
    let Some(first) = records.first() else {
        return Err(DataError::Empty { path: path.to_owned() });
    };
    let names: Vec<String> = first.fields.iter().map(|name| name.trim().to_owned()).collect();
    let first_line = first.line;
    let find = |wanted: &Wanted| {
        let named = if has_header { wanted.by_name(&names) } else { None };
        let column = named.or_else(|| wanted.by_number(names.len()));
        column.ok_or_else(|| wanted.missing(&names).at(path, first_line))
    };
    let text = find(&columns.text)?;
    let label = columns.label.as_ref().map(find).transpose()?;
    let pair = columns.pair.as_ref().map(find).transpose()?;
    if has_header {
        records.remove(0);
    }
    let file: Arc<Path> = path.into();
    let row = |record: Record| {
        let (found, expected) = (record.fields.len(), names.len());
        if found != expected {
            return Err(LineProblem::FieldCount { found, expected }.at(path, record.line));
        }
        let fields = record.fields;
        let label = label.map_or("", |label| &fields[label]);
        let mut row = Row::new(&file, record.line, &fields[text], label);
        row.pair = pair.map(|pair| fields[pair].clone());
        Ok(row)
    };
    records.into_iter().map(row).collect()
}

fn json_rows(path: &Path, text: &str, columns: &Columns) -> Result<Vec<Row>, DataError> {
    let file: Arc<Path> = path.into();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(i, line)| json_row(line, &file, i + 1, columns).map_err(|p| p.at(path, i + 1)))
        .collect()
}

fn json_row(
    json: &str,
    file: &Arc<Path>,
    line: usize,
    columns: &Columns,
) -> Result<Row, LineProblem> {
    let fields: Map<String, Value> = serde_json::from_str(json).map_err(|error| {
        let message = error.to_string();
        // serde_json counts lines within the one line that it was given.
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        LineProblem::Json { column: error.column(), message }
    })?;
    let names: Vec<String> = fields.keys().cloned().collect();
    let cell = |wanted: &Wanted| {
        let name = &names[wanted.by_name(&names).ok_or_else(|| wanted.missing(&names))?];
        match &fields[name] {
            Value::String(text) => Ok(text.clone()),
            value @ (Value::Number(_) | Value::Bool(_)) => Ok(value.to_string()),
            value => Err(LineProblem::NotAText { column: name.clone(), value: value.to_string() }),
        }
    };
    let label = columns.label.as_ref().map(cell).transpose()?.unwrap_or_default();
    let mut row = Row::new(file, line, &cell(&columns.text)?, &label);
    row.pair = columns.pair.as_ref().map(cell).transpose()?;
    Ok(row)
}
