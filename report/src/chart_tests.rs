use std::sync::LazyLock;

use super::*;
use crate::example::{self, studies};
use crate::record::RunRecord;
use crate::summary::compare;

fn drawn(records: &[RunRecord]) -> Vec<Chart> {
    compare(records).iter().flat_map(charts).collect()
}

/// Every chart of a page, those that answer a question of their own included.
fn on_page(records: &[RunRecord]) -> Vec<Chart> {
    let page = crate::render::Page::of("title", 0, records).unwrap();
    page.into_charts().map(|drawn| drawn.chart).collect()
}

#[test]
fn there_are_no_learning_curves_of_one_look() {
    let mut records = example::suite(&[1]);
    let has_curves =
        |records: &[RunRecord]| drawn(records).iter().any(|chart| chart.name == "learning_curves");
    assert!(has_curves(&records));
    records.iter_mut().for_each(|record| record.curve.truncate(1));
    assert!(!has_curves(&records));
}

/// Kinds of results as they come in practice, and the edges.
fn cases() -> Vec<(&'static str, Vec<RunRecord>)> {
    let suite = example::suite(&[1]);
    let without_baselines = suite.iter().filter(|r| !r.method.baseline).cloned().collect();
    let without_methods = suite.iter().filter(|r| r.method.baseline).cloned().collect();
    vec![
        ("one seed", suite.clone()),
        ("three seeds", example::suite(&[1, 2, 3])),
        ("two seeds", example::suite(&[1, 2])),
        ("one record", vec![example::find(&suite, "LoRA rank=8").clone()]),
        ("no baselines", without_baselines),
        ("baselines alone", without_methods),
        ("two methods in one point", example::same_point()),
        ("learning rates searched", example::searched()),
        ("many methods with long titles", example::many_methods()),
        ("two tasks", example::two_tasks()),
        ("ranks", studies::ranks()),
        ("places", studies::places()),
        ("pruned", studies::pruned()),
        ("lengths", studies::lengths()),
        ("scarce", studies::scarce()),
        ("elsewhere", studies::elsewhere()),
        ("tuned", studies::tuned()),
    ]
}

/// The charts of every case, drawn once for all tests.
static DRAWN: LazyLock<Vec<(&str, Vec<Chart>)>> = LazyLock::new(|| {
    cases().into_iter().map(|(case, records)| (case, on_page(&records))).collect()
});

fn names(charts: &[Chart]) -> Vec<&'static str> {
    charts.iter().map(|chart| chart.name).collect()
}

#[test]
fn no_two_texts_overlap_and_none_leaves_the_picture() {
    for (case, charts) in DRAWN.iter() {
        for chart in charts {
            for picture in [&chart.picture, &chart.narrow] {
                let what = format!("{case}, {}, {} wide", chart.name, picture.width);
                texts_are_apart(picture, &what);
            }
        }
    }
}

fn texts_are_apart(picture: &Picture, what: &str) {
    let texts: Vec<_> = picture.texts().collect();
    assert!(!texts.is_empty(), "{what}");
    for (i, text) in texts.iter().enumerate() {
        let bounds = text.bounds();
        let is_inside = bounds.left >= 0.0
            && bounds.top >= 0.0
            && bounds.right <= picture.width
            && bounds.bottom <= picture.height;
        assert!(is_inside, "{what}: {:?} is cut off", text.text);
        for other in &texts[..i] {
            let overlap = bounds.overlap(&other.bounds());
            assert_eq!(overlap, 0.0, "{what}: {:?} on {:?}", text.text, other.text);
        }
    }
}

#[test]
fn on_a_phone_every_text_is_at_least_ten_pixels_high() {
    // A screen of 390 pixels less the margins of the page and the frame of the chart.
    const SHOWN: f64 = 356.0;
    for (case, charts) in DRAWN.iter() {
        for chart in charts {
            let least = chart.narrow.texts().map(|text| text.size).fold(f64::INFINITY, f64::min);
            let shown = least * SHOWN / chart.narrow.width;
            assert!(shown >= 10.0, "{case}, {}: {shown} px", chart.name);
        }
    }
}

#[test]
fn both_layouts_show_the_same_results() {
    for (case, charts) in DRAWN.iter() {
        for chart in charts {
            let told = |picture: &Picture| {
                let mut tips: Vec<_> = picture.tips.iter().map(|tip| tip.text.clone()).collect();
                tips.sort();
                tips
            };
            assert_eq!(told(&chart.picture), told(&chart.narrow), "{case}, {}", chart.name);
        }
    }
}

#[test]
fn every_chart_becomes_svg_and_png() {
    for (case, records) in cases().into_iter().take(1) {
        for chart in drawn(&records) {
            let svg = chart.svg().unwrap();
            assert!(svg.starts_with("<svg width=\"1600\" height="), "{case}");
            assert!(svg.trim_end().ends_with("</svg>"), "{case}");
            assert!(svg.contains("font-family=\"DejaVu Sans, Verdana, sans-serif\""), "{case}");
            assert!(chart.png().unwrap().starts_with(b"\x89PNG"), "{case}");
        }
    }
}

#[test]
fn titles_from_records_cannot_break_out_of_the_svg() {
    let mut records = example::suite(&[1]);
    for record in &mut records {
        record.method.title += "</text><script>\"&'";
        record.task.name = "\"><script>".to_owned();
    }
    for chart in drawn(&records) {
        assert!(!chart.svg().unwrap().contains("<script"), "{}", chart.name);
    }
}

#[test]
fn all_charts_are_drawn_where_all_is_known() {
    assert_eq!(names(&drawn(&example::suite(&[1]))), NAMES[..5]);
}

#[test]
fn a_question_is_answered_where_the_records_can_and_nowhere_else() {
    let asked = |records: &[RunRecord]| {
        let names = names(&on_page(records));
        NAMES[5..].iter().copied().filter(|name| names.contains(name)).collect::<Vec<_>>()
    };
    assert_eq!(asked(&example::suite(&[1])), ["accuracy_vs_rank", "convergence"]);
    assert_eq!(asked(&studies::ranks()), ["alpha_rules"]);
    assert_eq!(asked(&studies::places()), ["learning_rates", "placements", "who_beats_whom"]);
    let pruned = ["learning_rates", "accuracy_vs_rank", "surviving_ranks", "budget_over_time"];
    assert_eq!(asked(&studies::pruned()), [&pruned[..], &["who_beats_whom"]].concat());
    let lengths = ["learning_rates", "accuracy_vs_length", "convergence", "who_beats_whom"];
    assert_eq!(asked(&studies::lengths()), lengths);
    let scarce = asked(&studies::scarce());
    assert_eq!(scarce, ["learning_rates", "accuracy_vs_rows", "convergence", "who_beats_whom"]);
    assert!(asked(&studies::elsewhere()).contains(&"transfer"));
}

#[test]
fn wide_intervals_are_excused_by_two_seeds_and_by_nothing_else() {
    let excuse = |n_seeds: u64| {
        let mut records = studies::ranks();
        records.retain(|record| record.seed < n_seeds);
        let third = |record: &RunRecord| {
            let id = format!("{}-third", record.id);
            RunRecord { id, seed: 2, ..record.clone() }
        };
        if n_seeds > 2 {
            let more: Vec<RunRecord> = records.iter().filter(|r| r.seed == 0).map(third).collect();
            records.extend(more);
        }
        let charts = on_page(&records);
        let rules = charts.iter().find(|chart| chart.name == "alpha_rules").unwrap();
        rules.svg().unwrap().contains("Intervals of two seeds are wide")
    };
    assert_eq!([1, 2, 3].map(excuse), [false, true, false]);
}

#[test]
fn charts_without_figures_are_left_out() {
    assert_eq!(names(&drawn(&example::all_diverged())), ["train_time"]);
    let mut records = example::suite(&[1]);
    records.iter_mut().for_each(|record| record.cost.peak_bytes = None);
    assert_eq!(names(&drawn(&records)), NAMES[..4]);
    records.retain(|record| record.method.name == "majority");
    assert!(names(&drawn(&records)).is_empty());
}

#[test]
fn every_series_has_one_look_in_all_charts_and_no_other_has_it() {
    let records = example::many_methods();
    let comparisons = compare(&records);
    let looks: Vec<_> = looks(&comparisons[0]).filter(|(series, _)| !series.baseline).collect();
    for (i, (_, look)) in looks.iter().enumerate() {
        assert!(looks[..i].iter().all(|(_, other)| other != look));
    }
}

#[test]
fn the_description_says_what_the_chart_shows() {
    let charts = drawn(&example::suite(&[1]));
    let description = charts[0].description();
    assert!(description.contains("LoRA 80.6 to 83.1 %"), "{description}");
    assert!(description.contains("Head only 72.0 %"), "{description}");
}
