//! A module's float parameters as data under names, and back.

use std::collections::BTreeMap;

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{Tensor, TensorData},
};

use crate::method::ConfigError;

/// Every float parameter of a module, named `root.field.field`, in the module's order.
pub fn named<M: Module>(module: &M, root: &str) -> Vec<(String, TensorData)> {
    let mut named = Named { path: vec![root.to_owned()], found: vec![] };
    module.visit(&mut named);
    named.found
}

/// A module with its float parameters replaced by the tensors that [`named`] gave. Each stays on
/// its device.
///
/// # Errors
/// [`ConfigError::Stored`] with the first tensor that is missing or has another shape.
pub fn fill<M: Module>(
    module: M,
    root: &str,
    from: &BTreeMap<String, TensorData>,
) -> Result<M, ConfigError> {
    let mut fill = Fill { path: vec![root.to_owned()], from, missing: None };
    let module = module.map(&mut fill);
    match fill.missing {
        None => Ok(module),
        Some(name) => {
            let problem = "is missing or has another shape".to_owned();
            Err(ConfigError::Stored { name, problem })
        }
    }
}

struct Named {
    path: Vec<String>,
    found: Vec<(String, TensorData)>,
}

impl ModuleVisitor for Named {
    fn enter_module(&mut self, name: &str, _kind: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _kind: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.push((self.path.join("."), param.val().into_data()));
    }
}

struct Fill<'a> {
    path: Vec<String>,
    from: &'a BTreeMap<String, TensorData>,
    missing: Option<String>,
}

impl ModuleMapper for Fill<'_> {
    fn enter_module(&mut self, name: &str, _kind: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _kind: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        match self.from.get(&name) {
            Some(data) if data.shape().as_slice() == param.lazy_shape().as_slice() => {
                Param::from_tensor(Tensor::from_data(data.clone(), &param.lazy_device()))
            }
            _ => {
                self.missing.get_or_insert(name);
                param
            }
        }
    }
}
