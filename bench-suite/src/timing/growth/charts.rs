//! The curves as pictures, what theory says beside them.

use report::{
    ReportError, format,
    panels::{Panel, Panels},
};

use super::{Growth, Point, Sweep};

/// File name of the chart of times, without ending.
pub(super) const TIME: &str = "growth-time";
/// File name of the chart of memory, without ending.
pub(super) const MEMORY: &str = "growth-memory";

/// File names without ending, and SVG texts.
///
/// # Errors
/// A picture that cannot be drawn.
pub fn charts(growth: &Growth) -> Result<Vec<(&'static str, String)>, ReportError> {
    let subtitle = format!(
        "{}, {} tokens a row and {} rows a step where they do not grow; {}",
        growth.model, growth.length, growth.batch, growth.environment.hardware
    );
    let picture = |title: &str, key: &str, panel: &dyn Fn(&Sweep) -> Option<Panel>, show| {
        let panels = growth.sweeps.iter().filter_map(panel).collect();
        Panels { title: title.into(), subtitle: subtitle.clone(), key: key.into(), panels, show }
            .svg()
    };
    Ok(vec![
        (
            TIME,
            picture(
                "Time of a training step",
                "Dots: measured, ms. Dashed: multiplications, at the speed of the largest value.",
                &|sweep| panel(sweep, &|point| Some(point.step_ms()?.median), &scaled),
                milliseconds,
            )?,
        ),
        (
            MEMORY,
            picture(
                "Peak memory of a training",
                "Dots: measured. Dashed: kept activations, above what is left at the smallest value.",
                &|sweep| panel(sweep, &|point| Some(point.peak_bytes? as f64), &shifted),
                format::bytes,
            )?,
        ),
    ])
}

fn milliseconds(ms: f64) -> String {
    format!("{}", (ms * 1e6).round() / 1e6)
}

type Theory<'t> = &'t dyn Fn(&[(&Point, f64)]) -> Vec<f64>;

/// `None` where nothing was measured.
fn panel(sweep: &Sweep, of: &dyn Fn(&Point) -> Option<f64>, theory: Theory) -> Option<Panel> {
    let points: Vec<(&Point, f64)> =
        sweep.points.iter().filter_map(|point| Some((point, of(point)?))).collect();
    let at = |numbers: Vec<f64>| {
        points.iter().zip(numbers).map(|((point, _), y)| (point.value as f64, y)).collect()
    };
    (!points.is_empty()).then(|| Panel {
        title: sweep.title.clone(),
        measured: at(points.iter().map(|(_, y)| *y).collect()),
        theory: at(theory(&points)),
    })
}

/// Multiplications, at the speed that the largest value had.
fn scaled(points: &[(&Point, f64)]) -> Vec<f64> {
    let speed = points.last().map_or(0.0, |(point, ms)| ms / point.products);
    points.iter().map(|(point, _)| point.products * speed).collect()
}

/// Kept bytes, above what the smallest value takes beside them.
fn shifted(points: &[(&Point, f64)]) -> Vec<f64> {
    let rest = points.first().map_or(0.0, |(point, bytes)| bytes - point.kept_bytes);
    points.iter().map(|(point, _)| point.kept_bytes + rest).collect()
}
