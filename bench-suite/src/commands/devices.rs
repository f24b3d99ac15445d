//! `devices`: what is there, and what `auto` takes.

use anyhow::Result;
use serde_json::json;

use super::print_json;
use crate::{
    cli::Common,
    device::{DeviceChoice, adapters, choose, cpu_name, threads},
};

pub fn devices(common: &Common) -> Result<()> {
    let adapters = adapters();
    let auto = choose(DeviceChoice::Auto)?;
    if common.json {
        let adapters: Vec<_> = adapters
            .iter()
            .map(|a| json!({ "api": a.api_name(), "name": a.name, "software": a.is_software }))
            .collect();
        return print_json(&json!({
            "auto": { "device": auto.name, "hardware": auto.hardware, "reason": auto.reason },
            "cpu": { "name": cpu_name(), "threads": threads() },
            "adapters": adapters,
        }));
    }
    println!("flex     {} ({} threads)", cpu_name(), threads());
    if cfg!(feature = "ndarray") {
        println!("ndarray  the same processor");
    }
    for adapter in &adapters {
        let kind = if adapter.is_software { "  software: computes on the CPU" } else { "" };
        println!("{:<8} {}{kind}", adapter.api_name(), adapter.name);
    }
    if adapters.is_empty() {
        println!("wgpu     no adapter (software Vulkan: install Debian's mesa-vulkan-drivers)");
    }
    println!("\n--device auto takes {} ({}): {}", auto.name, auto.hardware, auto.reason);
    Ok(())
}
