//! Models and tasks, each loaded once.

use std::{path::PathBuf, rc::Rc};

use anyhow::Result;
use assets::Store;

use crate::{
    choice::{ModelChoice, TaskChoice},
    data::Data,
    device::Chosen,
    model::Model,
    plan::RunPlan,
    training::Training,
};

/// Loads models and tasks, each once.
pub struct Loader<'a> {
    store: &'a Store,
    /// Where to compute.
    pub chosen: &'a Chosen,
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

    /// The folder that a model is read from.
    ///
    /// # Errors
    /// No such model.
    pub fn folder(&self, choice: &ModelChoice) -> Result<PathBuf> {
        Ok(self.store.model(&choice.name)?.path)
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

    /// The rows of the other tasks that a plan is tested on.
    ///
    /// # Errors
    /// As [`Loader::data`].
    pub fn others(&mut self, plan: &RunPlan) -> Result<Vec<Rc<Data>>> {
        let data = |task| self.data(task, &plan.model, &plan.training);
        plan.transfer.iter().map(data).collect()
    }
}
