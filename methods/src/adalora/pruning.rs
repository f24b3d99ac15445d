//! AdaLoRA's pruning: which triplets are alive, and what becomes of the others.

use burn::tensor::Tensor;

use super::AdaLora;
use crate::graph::beside;

impl AdaLora {
    /// Keeps the `budget` triplets of highest importance, over all sites.
    pub(super) fn allocate(&mut self, budget: usize) {
        let scores = self.importance();
        let mut ranked: Vec<(usize, usize)> = scores
            .iter()
            .enumerate()
            .flat_map(|(site, scores)| (0..scores.len()).map(move |i| (site, i)))
            .collect();
        // Stable, so equal scores keep the order of sites.
        ranked.sort_by(|a, b| scores[b.0][b.1].total_cmp(&scores[a.0][a.1]));
        self.alive.iter_mut().for_each(|alive| alive.fill(false));
        for &(site, i) in &ranked[..budget.min(ranked.len())] {
            self.alive[site][i] = true;
        }
    }

    /// Sets λ of dead triplets to zero; they stay parameters and may come back before the last
    /// pruning.
    pub(super) fn silence_the_dead(&mut self) {
        for (triplets, alive) in self.triplets.iter_mut().zip(&self.alive) {
            if alive.iter().all(|&alive| alive) {
                continue;
            }
            let mask: Vec<f32> = alive.iter().map(|&alive| f32::from(alive)).collect();
            triplets.lambda = triplets.lambda.clone().map(|lambda| {
                let values = lambda.clone().without_autodiff();
                let mask = Tensor::<1>::from_floats(mask.as_slice(), &values.device());
                let silenced = beside(values * mask.unsqueeze(), &lambda);
                // The parameter must stay a leaf of the graph.
                silenced.set_require_grad(lambda.is_require_grad())
            });
        }
    }
}
