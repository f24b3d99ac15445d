//! The one macro: a list of methods becomes an enum of them and an enum of their settings.

/// Makes `Method` and `MethodConfig` from a list of [`PeftMethod`](crate::PeftMethod)s.
///
/// Burn's `Module` is not object safe, so the zoo is a closed enum. Everything that works for
/// all methods goes through it: nothing else in the tree lists them.
#[macro_export]
macro_rules! zoo {
    ($($variant:ident = $method:ty),+ $(,)?) => {
        /// A method of the zoo. There is one at a time, so its size matters to nobody.
        #[allow(clippy::large_enum_variant)]
        #[derive(burn::module::Module, Debug)]
        pub enum Method {
            $(#[allow(missing_docs)] $variant($method)),+
        }

        /// The settings of a method of the zoo.
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        pub enum MethodConfig {
            $(#[allow(missing_docs)] $variant(<$method as $crate::PeftMethod>::Config)),+
        }

        /// The card of every method, in the order of the list.
        pub const CARDS: &[$crate::Card] = &[$(<$method as $crate::PeftMethod>::CARD),+];

        impl MethodConfig {
            /// The default settings of the method called `name`; `None` if there is none.
            pub fn named(name: &str) -> Option<Self> {
                $(if name == <$method as $crate::PeftMethod>::CARD.name {
                    return Some(Self::$variant(Default::default()));
                })+
                None
            }

            /// Reads the settings of the method called `name`; `None` if there is none.
            pub fn read<'de, D: serde::Deserializer<'de>>(
                name: &str,
                settings: D,
            ) -> Option<Result<Self, D::Error>> {
                $(if name == <$method as $crate::PeftMethod>::CARD.name {
                    return Some(serde::Deserialize::deserialize(settings).map(Self::$variant));
                })+
                None
            }

            /// The method's card.
            pub fn card(&self) -> $crate::Card {
                match self {
                    $(Self::$variant(_) => <$method as $crate::PeftMethod>::CARD),+
                }
            }

            /// See [`PeftMethod::init`]($crate::PeftMethod::init).
            pub fn init(
                &self,
                spec: &backbones::BackboneSpec,
                rng: &mut rand::rngs::StdRng,
                device: &burn::tensor::Device,
            ) -> Result<Method, $crate::ConfigError> {
                match self {
                    $(Self::$variant(config) => {
                        <$method as $crate::PeftMethod>::init(config, spec, rng, device)
                            .map(Method::$variant)
                    }),+
                }
            }

            /// See [`PeftMethod::restore`]($crate::PeftMethod::restore).
            pub fn restore(
                &self,
                spec: &backbones::BackboneSpec,
                stored: &std::collections::BTreeMap<String, burn::tensor::Tensor<2>>,
                device: &burn::tensor::Device,
            ) -> Result<Method, $crate::ConfigError> {
                match self {
                    $(Self::$variant(config) => {
                        <$method as $crate::PeftMethod>::restore(config, spec, stored, device)
                            .map(Method::$variant)
                    }),+
                }
            }

            /// See [`PeftMethod::resume`]($crate::PeftMethod::resume).
            pub fn resume(
                &self,
                spec: &backbones::BackboneSpec,
                state: &std::collections::BTreeMap<String, burn::tensor::TensorData>,
                device: &burn::tensor::Device,
            ) -> Result<Method, $crate::ConfigError> {
                match self {
                    $(Self::$variant(config) => {
                        <$method as $crate::PeftMethod>::resume(config, spec, state, device)
                            .map(Method::$variant)
                    }),+
                }
            }

            /// See [`PeftMethod::plan`]($crate::PeftMethod::plan).
            pub fn plan(
                &self,
                spec: &backbones::BackboneSpec,
            ) -> Result<$crate::Plan, $crate::ConfigError> {
                match self {
                    $(Self::$variant(config) => <$method as $crate::PeftMethod>::plan(config, spec)),+
                }
            }

            /// See [`PeftMethod::budget`]($crate::PeftMethod::budget).
            pub fn budget(&self) -> $crate::Budget {
                match self {
                    $(Self::$variant(config) => <$method as $crate::PeftMethod>::budget(config)),+
                }
            }

            /// See [`PeftMethod::learning_rate`]($crate::PeftMethod::learning_rate).
            pub fn learning_rate(&self) -> f64 {
                match self {
                    $(Self::$variant(config) => {
                        <$method as $crate::PeftMethod>::learning_rate(config)
                    }),+
                }
            }

            /// What stands before the names of a model's modules in Hugging Face PEFT's files of
            /// this method; `None` if that library does not have it.
            pub fn hugging_face_root(&self) -> Option<&'static str> {
                match self {
                    $(Self::$variant(_) => {
                        <$method as $crate::PeftMethod>::HUGGING_FACE.map(|format| format.root)
                    }),+
                }
            }

            /// See [`Format::export`]($crate::hugging_face::Format::export); `None` if Hugging Face
            /// PEFT does not have the method.
            pub fn to_hugging_face(
                &self,
                spec: &backbones::BackboneSpec,
                stored: &$crate::hugging_face::Stored,
            ) -> Option<Result<$crate::hugging_face::Adapter, $crate::ConfigError>> {
                match self {
                    $(Self::$variant(config) => {
                        let format = <$method as $crate::PeftMethod>::HUGGING_FACE?;
                        Some(format.export(config, spec, stored))
                    }),+
                }
            }

            /// See [`Format::import`]($crate::hugging_face::Format::import); the method is the one
            /// that the adapter names.
            pub fn from_hugging_face(
                adapter: &mut $crate::hugging_face::Adapter,
                spec: &backbones::BackboneSpec,
            ) -> Result<
                (Self, $crate::hugging_face::Stored),
                $crate::hugging_face::AdapterError,
            > {
                let found = adapter.peft_type()?.to_owned();
                let mut known: Vec<&str> = vec![];
                $(if let Some(format) = <$method as $crate::PeftMethod>::HUGGING_FACE {
                    if found == format.peft_type {
                        let (config, stored) = format.import(adapter, spec)?;
                        return Ok((Self::$variant(config), stored));
                    }
                    known.push(format.peft_type);
                })+
                Err($crate::hugging_face::AdapterError::unknown_type(&found, &known))
            }

            /// See [`PeftMethod::variant`]($crate::PeftMethod::variant).
            pub fn variant(&self) -> String {
                match self {
                    $(Self::$variant(config) => <$method as $crate::PeftMethod>::variant(config)),+
                }
            }
        }

        impl backbones::Injection for Method {
            fn linear_delta(&self, site: backbones::Site) -> Option<backbones::Delta<'_>> {
                match self { $(Self::$variant(method) => method.linear_delta(site)),+ }
            }

            fn prompt(&self) -> Option<burn::tensor::Tensor<2>> {
                match self { $(Self::$variant(method) => method.prompt()),+ }
            }

            fn prefixes(&self) -> Vec<backbones::KeyValue> {
                match self { $(Self::$variant(method) => method.prefixes()),+ }
            }

            fn first_position(&self) -> usize {
                match self { $(Self::$variant(method) => method.first_position()),+ }
            }
        }

        impl Method {
            /// See [`PeftMethod::penalty`]($crate::PeftMethod::penalty).
            pub fn penalty(&self) -> Option<burn::tensor::Tensor<1>> {
                match self { $(Self::$variant(method) => $crate::PeftMethod::penalty(method)),+ }
            }

            /// See [`PeftMethod::observe`]($crate::PeftMethod::observe).
            pub fn observe(self, grads: &burn::optim::GradientsParams) -> Self {
                match self {
                    $(Self::$variant(method) => {
                        Self::$variant($crate::PeftMethod::observe(method, grads))
                    }),+
                }
            }

            /// See [`PeftMethod::after_step`]($crate::PeftMethod::after_step).
            pub fn after_step(self, progress: $crate::Progress) -> Self {
                match self {
                    $(Self::$variant(method) => {
                        Self::$variant($crate::PeftMethod::after_step(method, progress))
                    }),+
                }
            }

            /// See [`PeftMethod::is_settled`]($crate::PeftMethod::is_settled).
            pub fn is_settled(&self) -> bool {
                match self { $(Self::$variant(method) => $crate::PeftMethod::is_settled(method)),+ }
            }

            /// See [`PeftMethod::stored`]($crate::PeftMethod::stored).
            pub fn stored(&self) -> Vec<(String, burn::tensor::Tensor<2>)> {
                match self { $(Self::$variant(method) => $crate::PeftMethod::stored(method)),+ }
            }

            /// See [`PeftMethod::state`]($crate::PeftMethod::state).
            pub fn state(&self) -> Vec<(String, burn::tensor::TensorData)> {
                match self { $(Self::$variant(method) => $crate::PeftMethod::state(method)),+ }
            }

            /// See [`PeftMethod::weight_delta`]($crate::PeftMethod::weight_delta).
            pub fn weight_delta(&self, site: backbones::Site) -> Option<burn::tensor::Tensor<2>> {
                match self {
                    $(Self::$variant(method) => $crate::PeftMethod::weight_delta(method, site)),+
                }
            }

            /// See [`PeftMethod::details`]($crate::PeftMethod::details).
            pub fn details(&self) -> std::collections::BTreeMap<String, serde_json::Value> {
                match self { $(Self::$variant(method) => $crate::PeftMethod::details(method)),+ }
            }
        }
    };
}
