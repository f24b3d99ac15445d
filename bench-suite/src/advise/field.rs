//! Who takes part in the contest: as many candidates as there is time for.

use anyhow::{Result, bail};

use crate::{
    advise::{
        candidates::{Candidate, candidates, defaults},
        contest::Arena,
        schedule::{Cost, Deadline, FEWEST_STEPS, rungs},
    },
    arm::Arm,
    plan::RunPlan,
};

/// Learning rates tried of each arm, where there is time.
const RATES: usize = 3;
/// Share of the budget for measuring what candidates cost.
const PROBING: f64 = 0.15;

/// Measures the arms one after the other, until a share of the budget is spent. What was not
/// measured is left out, with a note.
///
/// # Errors
/// No arm at all.
pub fn measure(
    mut arms: Vec<Arm>,
    base: &RunPlan,
    arena: &Arena,
    budget: f64,
    notes: &mut Vec<String>,
) -> Result<(Vec<Arm>, Vec<Cost>)> {
    let spent = Deadline::after(PROBING * budget.min(arena.end.left()));
    let mut costs = vec![];
    for arm in &arms {
        if !costs.is_empty() && spent.left() == 0.0 {
            break;
        }
        let plan = RunPlan { arm: arm.clone(), ..base.clone() }.with_defaults();
        costs.push(arena.probe(&plan)?);
    }
    if costs.is_empty() {
        bail!("none of the methods fits the model; see 'explain'");
    }
    if costs.len() < arms.len() {
        let n = arms.len() - costs.len();
        notes.push(format!(
            "{n} of {} arms were left out: measuring them took too long.",
            arms.len()
        ));
        arms.truncate(costs.len());
    }
    Ok((arms, costs))
}

/// As many candidates as there is time for: fewer rates first, then fewer arms.
pub fn fit(
    arms: &[Arm],
    base: &RunPlan,
    arena: &Arena,
    costs: &[Cost],
    notes: &mut Vec<String>,
) -> Vec<Candidate> {
    let all = candidates(arms, base, RATES);
    let shortest = |field: &[Candidate]| {
        let rungs = rungs(field.len(), arena.folds.len());
        let field: Vec<&Candidate> = field.iter().collect();
        (rungs[0].share * arena.steps(&rungs, &field, costs)).round()
    };
    if shortest(&all) >= FEWEST_STEPS {
        return all;
    }
    let mut field = defaults(&all);
    while field.len() > 1 && shortest(&field) < FEWEST_STEPS {
        field.pop();
    }
    notes.push(format!(
        "There was time for {} of {} candidates, each at its default learning rate alone.",
        field.len(),
        all.len()
    ));
    field
}
