//! Any two of the measured figures against each other: the data for the script.

use serde_json::{Value, json};

use crate::chart::looks;
use crate::chart::picture::Owner;
use crate::format;
use crate::record::RunRecord;
use crate::render::{Page, Part};
use crate::summary::Configuration;

/// A figure that can be chosen: its name, which way is better, how to write it, where it is.
struct Figure {
    name: &'static str,
    is_more_better: bool,
    /// `percent`, `bytes`, `seconds`, `count` or `plain`.
    unit: &'static str,
    of: fn(&RunRecord) -> Option<f64>,
}

const FIGURES: [Figure; 12] = [
    Figure {
        name: "Test accuracy",
        is_more_better: true,
        unit: "percent",
        of: |run| Some(run.scores.as_ref()?.test_accuracy),
    },
    Figure {
        name: "Trained numbers (without the head)",
        is_more_better: false,
        unit: "count",
        of: |run| Some(run.counts.trainable as f64),
    },
    Figure {
        name: "Stored numbers (without the head)",
        is_more_better: false,
        unit: "count",
        of: |run| Some(run.counts.stored as f64),
    },
    Figure {
        name: "Numbers active in use (without the head)",
        is_more_better: false,
        unit: "count",
        of: |run| Some(run.counts.active as f64),
    },
    Figure {
        name: "Stored bytes",
        is_more_better: false,
        unit: "bytes",
        of: |run| Some(run.counts.bytes_on_disk as f64),
    },
    Figure {
        name: "Training time",
        is_more_better: false,
        unit: "seconds",
        of: |run| (run.cost.steps > 0).then_some(run.cost.train_seconds),
    },
    Figure {
        name: "Evaluation time",
        is_more_better: false,
        unit: "seconds",
        of: |run| (run.cost.steps > 0).then_some(run.cost.evaluation_seconds),
    },
    Figure {
        name: "Tokens a second in training",
        is_more_better: true,
        unit: "count",
        of: |run| (run.cost.steps > 0).then_some(run.cost.tokens_per_second),
    },
    Figure {
        name: "Peak memory",
        is_more_better: false,
        unit: "bytes",
        of: |run| run.cost.peak_bytes.map(|bytes| bytes as f64),
    },
    Figure {
        name: "Validation accuracy",
        is_more_better: true,
        unit: "percent",
        of: |run| Some(run.scores.as_ref()?.validation_accuracy),
    },
    Figure {
        name: "Test loss",
        is_more_better: false,
        unit: "plain",
        of: |run| Some(run.scores.as_ref()?.test_loss),
    },
    Figure {
        name: "Test macro F1",
        is_more_better: true,
        unit: "percent",
        of: |run| Some(run.scores.as_ref()?.test_macro_f1),
    },
];

/// The section; the script fills the chart.
pub(super) fn html(page: &Page) -> String {
    let is_several = page.sections.iter().any(|section| section.parts.len() > 1);
    let comparisons: Vec<Value> = page
        .sections
        .iter()
        .flat_map(|section| section.parts.iter().map(move |part| (section, part)))
        .map(|(section, part)| {
            let rows = format::plural(part.comparison.task.n_train, "training row");
            let name = match is_several {
                true => format!("{}, {rows}", section.name),
                false => section.name.clone(),
            };
            json!({ "name": name, "points": points(part) })
        })
        .collect();
    let figures: Vec<Value> = FIGURES
        .iter()
        .map(|f| json!({ "name": f.name, "more": f.is_more_better, "unit": f.unit }))
        .collect();
    let data = json!({ "figures": figures, "comparisons": comparisons }).to_string();
    // Inside a script only the end of the element has a meaning.
    let data = data.replace('<', "\\u003c");
    format!(
        "<section id=\"explore\">\n<h2>Any two figures</h2>\n\
         <p class=\"hint\">Means over the seeds; tooltips and table have their 95 % intervals. The \
         grey line is the Pareto front: what nothing else beats in both.</p>\n\
         <noscript><p>This chart needs its script.</p></noscript>\n\
         <form></form>\n<div class=\"chart\"></div>\n<p class=\"hint\" aria-live=\"polite\"></p>\n\
         <details class=\"behind\"><summary>Figures behind this chart</summary>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"></div></details>\n\
         <script type=\"application/json\">{data}</script>\n</section>\n"
    )
}

fn points(part: &Part) -> Vec<Value> {
    looks(&part.comparison)
        .flat_map(|(series, look)| series.configurations.iter().map(move |c| (series, look, c)))
        // What is not trained lies far below all else and would squeeze it together.
        .filter(|(_, _, c)| c.runs.iter().any(|run| run.cost.steps > 0))
        .map(|(series, look, configuration)| {
            let Owner { series, budget } = Owner::of(series, configuration);
            let shape: Vec<String> =
                look.marker.unit().iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect();
            json!({
                "label": configuration.label,
                "series": series,
                "budget": budget,
                "ink": look.ink.hex(),
                "shape": shape.join(" "),
                "values": FIGURES.iter().map(|f| value(configuration, f.of)).collect::<Vec<_>>(),
            })
        })
        .collect()
}

/// Mean and half the width of its interval; the latter `null` where nothing varies.
fn value(configuration: &Configuration, figure: fn(&RunRecord) -> Option<f64>) -> Option<Value> {
    let estimate = configuration.estimate(figure)?;
    Some(json!([estimate.mean, estimate.half_width().filter(|half| *half > 0.0)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use crate::html::escape;
    use crate::summary::compare;

    #[test]
    fn figures_have_names_of_their_own_and_plain_text() {
        for (i, figure) in FIGURES.iter().enumerate() {
            assert!(FIGURES[..i].iter().all(|other| other.name != figure.name));
            assert_eq!(escape(figure.name), figure.name);
        }
    }

    #[test]
    fn figures_that_vary_over_seeds_have_intervals_and_no_others() {
        let of = |seeds: &[u64], name: &str| {
            let records = example::suite(seeds);
            let comparisons = compare(&records);
            let label = |(_, c): &(_, &Configuration)| c.label == "LoRA rank=8";
            let (_, configuration) = comparisons[0].configurations().find(label).unwrap();
            let figure = FIGURES.iter().find(|figure| figure.name == name).unwrap();
            value(configuration, figure.of).unwrap()
        };
        let one = of(&[1], "Validation accuracy");
        assert!(one[0].is_number() && one[1].is_null(), "{one}");
        let three = of(&[1, 2, 3], "Training time");
        assert!(three[0].is_number() && three[1].as_f64().unwrap() > 0.0, "{three}");
        let stored = of(&[1, 2, 3], "Stored numbers (without the head)");
        assert_eq!(stored, json!([73_728.0, null]));
    }
}
