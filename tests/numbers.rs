//! Comparing tensors and modules by their numbers.

use burn::{
    module::{Module, ModuleVisitor, Param, ParamId},
    tensor::Tensor,
};

/// A tensor's numbers, row by row.
pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The largest absolute difference. Not finite if any of the numbers is not.
pub fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "different shapes cannot be compared");
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.max_by(f32::total_cmp).unwrap_or(0.0)
}

/// Asserts that no two numbers are farther apart than `tolerance`.
#[track_caller]
pub fn assert_close(a: &[f32], b: &[f32], tolerance: f32, what: impl std::fmt::Display) {
    let distance = distance(a, b);
    assert!(distance <= tolerance, "{what}: {distance:e} apart, {tolerance:e} allowed");
}

/// One float parameter of a module.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// What the optimizer knows it by.
    pub id: ParamId,
    /// Its numbers' bits: unlike numbers, they are equal exactly if nothing changed.
    pub bits: Vec<u32>,
    /// Whether it is on the autodiff side of its device.
    pub is_autodiff: bool,
}

/// Every float parameter of a module, in the order of its fields.
pub fn parameters<M: Module>(module: &M) -> Vec<Parameter> {
    let mut found = Found(vec![]);
    module.visit(&mut found);
    found.0
}

struct Found(Vec<Parameter>);

impl ModuleVisitor for Found {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let bits = numbers(param.val()).into_iter().map(f32::to_bits).collect();
        self.0.push(Parameter { id: param.id, bits, is_autodiff: param.is_autodiff() });
    }
}

#[test]
fn a_number_that_is_not_finite_is_never_close() {
    assert!(distance(&[1.0, f32::NAN, 0.0], &[1.0, 2.0, 0.0]).is_nan());
    assert_eq!(distance(&[1.0, 2.0], &[1.5, f32::INFINITY]), f32::INFINITY);
}
