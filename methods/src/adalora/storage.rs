//! AdaLoRA's tensors by name: the survivors, for use, and the whole of it, for going on.

use std::collections::BTreeMap;

use backbones::BackboneSpec;
use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor, TensorData},
};

use super::{AdaLora, AdaLoraConfig, Triplets, importance::FACTORS};
use crate::{
    method::{ConfigError, matrices, take_stored},
    sites::Target,
};

/// Name of the flag in the state that says whether the last pruning is done.
const FINAL: &str = "final";

impl AdaLora {
    /// The triplets that are alive.
    pub(super) fn survivors(&self) -> Vec<(String, Tensor<2>)> {
        let kept = |(triplets, alive): (&Triplets, &Vec<bool>)| {
            let site = triplets.site;
            let rows = alive.iter().zip(0..).filter_map(|(&alive, i)| alive.then_some(i));
            let rows: Vec<i32> = rows.collect();
            let pick = |factor: &Param<Tensor<2>>, dim| {
                let factor = factor.val().without_autodiff();
                if rows.is_empty() {
                    let [height, width] = factor.dims();
                    let shape = if dim == 0 { [0, width] } else { [height, 0] };
                    return Tensor::zeros(shape, &factor.device());
                }
                let rows = Tensor::from_ints(rows.as_slice(), &factor.device());
                factor.select(dim, rows)
            };
            [
                (format!("{site}.q"), pick(&triplets.q, 1)),
                (format!("{site}.lambda"), pick(&triplets.lambda, 1)),
                (format!("{site}.p"), pick(&triplets.p, 0)),
            ]
        };
        self.triplets.iter().zip(&self.alive).flat_map(kept).collect()
    }

    /// Takes up what [`survivors`](Self::survivors) gave.
    pub(super) fn from_survivors(
        config: &AdaLoraConfig,
        spec: &BackboneSpec,
        stored: &BTreeMap<String, Tensor<2>>,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        let triplets = |Target { site, d_in, d_out }| {
            let rank = stored.get(&format!("{site}.lambda")).map_or(0, |lambda| lambda.dims()[1]);
            let take = |name: &str, shape| -> Result<_, ConfigError> {
                let tensor = take_stored(stored, &format!("{site}.{name}"), shape)?;
                Ok(Param::from_tensor(tensor.to_device(device)))
            };
            // Without λ the rank is not known, and nothing else would fit.
            let lambda = take("lambda", [1, rank])?;
            let (q, p) = (take("q", [d_in, rank])?, take("p", [rank, d_out])?);
            Ok(Triplets { q, lambda, p, site })
        };
        let triplets = config.targets(spec)?.into_iter().map(triplets);
        let restored = Self::new(config, triplets.collect::<Result<_, _>>()?);
        Ok(Self { is_final: true, ..restored })
    }

    /// All triplets, alive or not, and the statistics that decide between them.
    pub(super) fn whole(&self) -> Vec<(String, TensorData)> {
        let is_final = vec![f32::from(self.is_final)];
        let mut state = vec![(FINAL.to_owned(), TensorData::new(is_final, [1, 1]))];
        for (triplets, alive) in self.triplets.iter().zip(&self.alive) {
            let Triplets { q, lambda, p, site } = triplets;
            for (name, factor) in FACTORS.into_iter().zip([q, lambda, p]) {
                let factor = factor.val().without_autodiff();
                state.push((format!("{site}.{name}"), factor.into_data()));
            }
            let alive: Vec<f32> = alive.iter().map(|&alive| f32::from(alive)).collect();
            let shape = [1, alive.len()];
            state.push((format!("{site}.alive"), TensorData::new(alive, shape)));
        }
        state.extend(self.importance.state(&self.triplets));
        state
    }

    /// Takes up what [`whole`](Self::whole) gave.
    pub(super) fn from_whole(
        config: &AdaLoraConfig,
        spec: &BackboneSpec,
        state: &BTreeMap<String, TensorData>,
        device: &Device,
    ) -> Result<Self, ConfigError> {
        let state = matrices(state, device);
        let flags = |name: &str, n: usize| -> Result<Vec<bool>, ConfigError> {
            let flags = take_stored(&state, name, [1, n])?.into_data();
            Ok(flags.iter::<f32>().map(|flag| flag != 0.0).collect())
        };
        let mut method = Self::from_survivors(config, spec, &state, device)?;
        method.is_final = flags(FINAL, 1)? == [true];
        for (triplets, alive) in method.triplets.iter().zip(&mut method.alive) {
            *alive = flags(&format!("{}.alive", triplets.site), config.initial_rank)?;
        }
        method.importance.resume(&method.triplets, &state)?;
        Ok(method.train())
    }
}
