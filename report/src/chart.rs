//! The charts: each a [`picture::Picture`] first, then SVG and PNG.

mod accuracy;
mod axis;
mod bars;
mod captions;
mod curves;
mod font;
mod frame;
pub(crate) mod heat;
mod label;
pub(crate) mod legend;
pub(crate) mod lines;
pub(crate) mod palette;
pub mod panels;
pub(crate) mod picture;
mod points;
mod raster;
pub(crate) mod spread;
mod svg;

use crate::ReportError;
use crate::format;
use crate::summary::{Comparison, Configuration, Series};
use crate::table::Table;

use frame::Width;
use palette::Look;
use picture::{Owner, Picture};

/// What the subtitle says of a chart whose figures are means.
pub(crate) const MEAN_AND_INTERVAL: &str = "mean and 95 % interval";

/// Every chart this program may draw, by file name without ending.
pub(crate) const NAMES: [&str; 17] = [
    "accuracy_vs_trainable",
    "accuracy_vs_stored_bytes",
    "learning_curves",
    "train_time",
    "peak_memory",
    "learning_rates",
    "alpha_rules",
    "accuracy_vs_rank",
    "accuracy_vs_length",
    "accuracy_vs_budget",
    "accuracy_vs_rows",
    "convergence",
    "placements",
    "surviving_ranks",
    "budget_over_time",
    "transfer",
    "who_beats_whom",
];

/// A chart of one comparison.
pub(crate) struct Chart {
    /// One of [`NAMES`].
    pub name: &'static str,
    /// What it shows, in a few words.
    pub caption: &'static str,
    /// The figures behind it, where the table of results does not hold them.
    pub table: Option<Table>,
    picture: Picture,
    /// The same for a phone held upright.
    narrow: Picture,
}

impl Chart {
    /// What it shows, for those who cannot see it.
    pub fn description(&self) -> &str {
        &self.picture.description
    }

    pub fn svg(&self) -> Result<String, ReportError> {
        svg::svg(&self.picture).map_err(|problem| self.error(problem))
    }

    pub fn narrow_svg(&self) -> Result<String, ReportError> {
        svg::svg(&self.narrow).map_err(|problem| self.error(problem))
    }

    pub fn png(&self) -> Result<Vec<u8>, ReportError> {
        raster::png(&self.picture).map_err(|problem| self.error(problem))
    }

    /// Drawn for both widths; `None` where there is nothing to draw.
    fn draw(
        name: &'static str,
        caption: &'static str,
        table: Option<Table>,
        draw: impl Fn(Width) -> Option<Picture>,
    ) -> Option<Self> {
        let (picture, narrow) = (draw(Width::Wide)?, draw(Width::Narrow)?);
        Some(Self { name, caption, table, picture, narrow })
    }

    fn error(&self, problem: String) -> ReportError {
        ReportError::Chart { chart: self.name.to_owned(), problem }
    }
}

impl Owner {
    /// One configuration.
    pub fn of(series: &Series, configuration: &Configuration) -> Self {
        let budget = configuration.runs[0].method.budget.as_ref();
        let budget = budget.map_or(String::new(), |b| format!("{}={}", b.name, b.value));
        Self { series: series.title.clone(), budget }
    }

    /// All configurations of a series.
    pub fn all_of(series: &Series) -> Self {
        Self { series: series.title.clone(), budget: String::new() }
    }
}

pub(crate) fn of_lines(
    name: &'static str,
    caption: &'static str,
    lines: &lines::Lines,
) -> Option<Chart> {
    Chart::draw(name, caption, Some(lines.table()), |width| lines.picture(width))
}

pub(crate) fn of_heat(
    name: &'static str,
    caption: &'static str,
    heat: &heat::Heat,
) -> Option<Chart> {
    let table = (!heat.grids.is_empty()).then(|| heat.table());
    Chart::draw(name, caption, table, |width| heat.picture(width))
}

pub(crate) fn of_spread(
    name: &'static str,
    caption: &'static str,
    spread: &spread::Spread,
) -> Option<Chart> {
    Chart::draw(name, caption, Some(spread.table()), |width| spread.picture(width))
}

/// The charts of a comparison, those left out for which there are no figures.
pub(crate) fn charts(comparison: &Comparison) -> Vec<Chart> {
    let draw = |i: usize, width: Width| match i {
        0 => accuracy::chart(comparison, &trainable_parameters(comparison), width),
        1 => accuracy::chart(comparison, &stored_bytes(), width),
        2 => curves::chart(comparison, width),
        3 => bars::chart(comparison, &train_time(), width),
        _ => bars::chart(comparison, &peak_memory(), width),
    };
    let captions = [
        "Test accuracy against trainable parameters",
        "Test accuracy against the size of the saved file",
        "Learning curves on the validation split",
        "Training time",
        "Peak memory",
    ];
    NAMES
        .into_iter()
        .zip(captions)
        .enumerate()
        .filter_map(|(i, (name, caption))| Chart::draw(name, caption, None, |w| draw(i, w)))
        .collect()
}

fn trainable_parameters(comparison: &Comparison) -> points::Size<'static> {
    let heads = comparison.configurations().map(|(_, configuration)| configuration.counts().head);
    let head = format::count(heads.max().unwrap_or_default());
    points::Size {
        title: "Test accuracy against trainable parameters",
        axis_name: format!("Trainable parameters (the head's {head} not counted)"),
        of: |configuration| configuration.counts().trainable as f64,
        show: format::short_count,
    }
}

fn stored_bytes() -> points::Size<'static> {
    points::Size {
        title: "Test accuracy against what must be stored",
        axis_name: "Size of the saved file (head included)".to_owned(),
        of: |configuration| configuration.counts().bytes_on_disk as f64,
        show: format::bytes,
    }
}

fn train_time() -> bars::Figure<'static> {
    bars::Figure {
        title: "Training time per run",
        axis_name: "Seconds in training steps (no evaluation, no loading)",
        // What never takes a step has no training time.
        of: |configuration| {
            configuration.estimate(|run| (run.cost.steps > 0).then_some(run.cost.train_seconds))
        },
        show: |seconds| format!("{} s", format::seconds(seconds)),
        tick: |seconds| format!("{}", (seconds * 1e6).round() / 1e6),
    }
}

fn peak_memory() -> bars::Figure<'static> {
    bars::Figure {
        title: "Peak memory per run",
        axis_name: "Highest memory use of the run",
        of: |configuration| {
            configuration.estimate(|run| run.cost.peak_bytes.map(|bytes| bytes as f64))
        },
        show: format::bytes,
        tick: format::bytes,
    }
}

/// Each series with its colour and marker: the same in every chart of a comparison.
pub(crate) fn looks<'c, 'a>(
    comparison: &'c Comparison<'a>,
) -> impl Iterator<Item = (&'c Series<'a>, Look)> {
    let mut n_methods = 0;
    comparison.series.iter().map(move |series| {
        if series.baseline {
            return (series, Look::baseline());
        }
        n_methods += 1;
        (series, Look::method(n_methods - 1))
    })
}

/// What was compared, for the line under a title; `rows` are those the figures come from, and
/// `seeds` says what several seeds became.
pub(crate) fn subtitle(
    comparison: &Comparison,
    rows: Option<(usize, &str)>,
    seeds: &str,
) -> String {
    let numbers = || comparison.configurations().map(|(_, c)| c.runs.len());
    let (fewest, most) = (numbers().min().unwrap_or(0), numbers().max().unwrap_or(0));
    let n_seeds = match fewest == most {
        true => format::plural(most, "seed"),
        false => format!("{fewest}–{}", format::plural(most, "seed")),
    };
    let seeds = if most > 1 { format!(", {seeds}") } else { String::new() };
    let rows = rows.map_or(String::new(), |(n, noun)| format!("{}, ", format::plural(n, noun)));
    format!("{} with {}, {rows}{n_seeds}{seeds}", comparison.task.name, comparison.backbone.title())
}

#[cfg(test)]
#[path = "chart_tests.rs"]
mod tests;
