//! An operator on kube-rs, and what its user does: an Oven gets a ConfigMap that says how hot it is, applied by the server,
//! and goes when it has cooled down. Ends when all was as wanted.
use futures::StreamExt;
use k8s_openapi::{
    api::core::v1::ConfigMap,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    api::{Api, DeleteParams, Patch, PatchParams},
    runtime::{
        controller::{Action, Controller},
        finalizer::{finalizer, Event},
        wait::{await_condition, conditions},
        watcher,
    },
    Client, CustomResource, CustomResourceExt, Resource, ResourceExt,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{error::Error, sync::Arc, time::Duration};

#[derive(CustomResource, Deserialize, Serialize, Clone, Debug, JsonSchema)]
#[kube(group = "bakery.example.com", version = "v1", kind = "Oven", namespaced, status = "OvenStatus")]
#[kube(printcolumn = r#"{"name":"Celsius","type":"integer","jsonPath":".spec.celsius"}"#)]
struct OvenSpec {
    #[schemars(range(min = 20))]
    celsius: i32,
    bread: Option<String>,
}

#[derive(Deserialize, Serialize, Clone, Debug, JsonSchema)]
struct OvenStatus {
    heated: i32,
}

const MANAGER: &str = "bakery";
type Failure = Box<dyn Error + Send + Sync>;

#[derive(Debug)]
struct Failed(String);
impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl Error for Failed {}

async fn heat(oven: Arc<Oven>, client: Client) -> Result<Action, kube::Error> {
    let (name, namespace) = (oven.name_any(), oven.namespace().unwrap_or_default());
    let apply = PatchParams::apply(MANAGER).force();
    let map: ConfigMap = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": name, "ownerReferences": [oven.controller_owner_ref(&())] },
        "data": { "celsius": oven.spec.celsius.to_string() },
    }))
    .map_err(kube::Error::SerdeError)?;
    Api::<ConfigMap>::namespaced(client.clone(), &namespace).patch(&name, &apply, &Patch::Apply(&map)).await?;
    let status = json!({ "apiVersion": Oven::api_version(&()), "kind": "Oven", "status": { "heated": oven.spec.celsius } });
    Api::<Oven>::namespaced(client, &namespace).patch_status(&name, &apply, &Patch::Apply(&status)).await?;
    Ok(Action::await_change())
}

async fn reconcile(oven: Arc<Oven>, client: Arc<Client>) -> Result<Action, Failed> {
    let ovens: Api<Oven> = Api::namespaced((*client).clone(), &oven.namespace().unwrap_or_default());
    finalizer(&ovens, "bakery.example.com/cool-down", oven, |event| async move {
        match event {
            Event::Apply(oven) => heat(oven, (*client).clone()).await,
            Event::Cleanup(_) => Ok(Action::await_change()),
        }
    })
    .await
    .map_err(|error| Failed(error.to_string()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    tokio::time::timeout(Duration::from_secs(60), work()).await?
}

async fn work() -> Result<(), Failure> {
    let client = Client::try_default().await?;
    let apply = PatchParams::apply("kube-rs-user");
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let name = "ovens.bakery.example.com";
    definitions.patch(name, &apply, &Patch::Apply(Oven::crd())).await?;
    await_condition(definitions.clone(), name, conditions::is_crd_established()).await?;

    let ovens: Api<Oven> = Api::namespaced(client.clone(), "default");
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let running = tokio::spawn(
        Controller::new(ovens.clone(), watcher::Config::default())
            .owns(maps.clone(), watcher::Config::default())
            .run(reconcile, |_, _, _| Action::requeue(Duration::from_secs(1)), Arc::new(client))
            .for_each(|result| async move { println!("{result:?}") }),
    );

    let oven = |celsius: i32| Oven::new("stone", OvenSpec { celsius, bread: None });
    for celsius in [200, 250] {
        ovens.patch("stone", &apply, &Patch::Apply(oven(celsius))).await?;
        await_condition(ovens.clone(), "stone", move |oven: Option<&Oven>| {
            oven.and_then(|oven| oven.status.as_ref()).is_some_and(|status| status.heated == celsius)
        })
        .await?;
        let map = maps.get("stone").await?;
        assert_eq!(map.data.unwrap_or_default()["celsius"], celsius.to_string());
    }
    let refused = ovens.patch("stone", &apply, &Patch::Apply(oven(1))).await.unwrap_err().to_string();
    assert!(refused.contains("should be greater than or equal to 20"), "{refused}");

    let uid = ovens.get("stone").await?.uid().unwrap_or_default();
    let map = maps.get("stone").await?.uid().unwrap_or_default();
    ovens.delete("stone", &DeleteParams::default()).await?;
    await_condition(ovens, "stone", conditions::is_deleted(&uid)).await?;
    await_condition(maps, "stone", conditions::is_deleted(&map)).await?;
    running.abort();
    definitions.delete(name, &DeleteParams::default()).await?;
    println!("all as wanted");
    Ok(())
}
