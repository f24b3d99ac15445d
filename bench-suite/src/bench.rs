//! Runs a list of plans into a results folder; what is recorded is not run again.

use std::{collections::BTreeSet, path::PathBuf, rc::Rc};

use anyhow::{Context, Result};
use assets::Store;
use report::{Rendered, ResultsDir, RunRecord, record::Status, render};

use crate::{
    choice::{ModelChoice, TaskChoice},
    console::{Line, table_head, table_row},
    data::Data,
    device::Chosen,
    model::Model,
    plan::RunPlan,
    run::{check, execute},
    training::Training,
};

/// Loads models and tasks, each once.
pub struct Loader<'a> {
    store: &'a Store,
    chosen: &'a Chosen,
    models: Vec<(ModelChoice, Rc<Model>)>,
    data: Vec<(DataKey, Rc<Data>)>,
}

/// What decides a run's rows and their tokens.
type DataKey = (TaskChoice, ModelChoice, Option<usize>, Option<usize>);

impl<'a> Loader<'a> {
    /// Nothing is loaded yet.
    pub fn new(store: &'a Store, chosen: &'a Chosen) -> Self {
        Self { store, chosen, models: vec![], data: vec![] }
    }

    /// The model of a choice.
    ///
    /// # Errors
    /// As [`ModelChoice::load`].
    pub fn model(&mut self, choice: &ModelChoice) -> Result<Rc<Model>> {
        if let Some((_, model)) = self.models.iter().find(|(known, _)| known == choice) {
            return Ok(model.clone());
        }
        let model = Rc::new(choice.load(self.store, &self.chosen.device)?);
        self.models.push((choice.clone(), model.clone()));
        Ok(model)
    }

    /// The rows of a task as a training takes them.
    ///
    /// # Errors
    /// As [`TaskChoice::read`] and [`Data::new`].
    pub fn data(
        &mut self,
        task: &TaskChoice,
        model: &ModelChoice,
        training: &Training,
    ) -> Result<Rc<Data>> {
        let key = (task.clone(), model.clone(), training.train_rows, training.validation_rows);
        if let Some((_, data)) = self.data.iter().find(|(known, _)| *known == key) {
            return Ok(data.clone());
        }
        // Rows come first: they are quick to get, and most mistakes are in them.
        let task = task.read(self.store)?;
        let encoder = self.model(model)?.encoder.clone();
        let data = Rc::new(Data::new(task, training, &encoder)?);
        self.data.push((key, data.clone()));
        Ok(data)
    }
}

/// What came of a list of plans.
pub struct Benched {
    /// The paths of the report.
    pub rendered: Rendered,
    /// The records of the plans, in their order.
    pub records: Vec<RunRecord>,
    /// How many of them were there before.
    pub n_known: usize,
}

impl Benched {
    /// Whether a run diverged.
    pub fn any_diverged(&self) -> bool {
        self.records.iter().any(|record| matches!(record.status, Status::Diverged { .. }))
    }
}

/// The file of a run's trained tensors in a results folder.
pub fn trained_path(results: &ResultsDir, id: &str) -> PathBuf {
    results.path().join("trained").join(format!("{id}.safetensors"))
}

/// Runs every plan that is not recorded yet, then draws the report.
///
/// All plans are checked before the first one runs. The results folder is this process's alone
/// meanwhile. `show` gets the lines of a table as it grows.
///
/// # Errors
/// Whatever stops the whole: bad settings, files that cannot be read, a folder that is in use or
/// cannot be written.
pub fn bench(
    plans: &[RunPlan],
    title: &str,
    results: &ResultsDir,
    loader: &mut Loader,
    chosen: &Chosen,
    show: &dyn Fn(&str),
) -> Result<Benched> {
    let lock = results.lock()?;
    let mut seen = BTreeSet::new();
    for plan in plans {
        let data = loader.data(&plan.task, &plan.model, &plan.training)?;
        let model = loader.model(&plan.model)?;
        check(plan, &model).with_context(|| format!("method '{}'", plan.arm.name()))?;
        if seen.insert(data.info.fingerprint.clone()) {
            eprintln!("{}", data.summary);
        }
    }
    show(&table_head());
    let mut records = vec![];
    let mut n_known = 0;
    for (i, plan) in plans.iter().enumerate() {
        let model = loader.model(&plan.model)?;
        let data = loader.data(&plan.task, &plan.model, &plan.training)?;
        let id = plan.id(&model, &data);
        let record = if results.contains(&id) {
            n_known += 1;
            results.read(&id)?
        } else {
            let mut line = Line::new(&label(plan), i + 1, plans.len());
            let outcome = execute(plan, &model, &data, chosen, &mut line);
            line.clear();
            let mut outcome = outcome?;
            if let Some(trained) = &outcome.trained {
                outcome.record.counts.bytes_on_disk = trained.save(&trained_path(results, &id))?;
            }
            results.write(&outcome.record)?;
            outcome.record
        };
        show(&table_row(&record));
        records.push(record);
    }
    let rendered = render(results, title)?;
    drop(lock);
    Ok(Benched { rendered, records, n_known })
}

fn label(plan: &RunPlan) -> String {
    let budget = plan.arm.budget().map(|b| format!("{}={}", b.name, b.value));
    let words = [
        plan.arm.title().to_owned(),
        plan.arm.variant(),
        budget.unwrap_or_default(),
        format!("seed={}", plan.seed),
    ];
    let said = words.into_iter().filter(|word| !word.is_empty());
    said.collect::<Vec<_>>().join(" ")
}
