//! What is known of a container.

/// What the host says of a container; every field is empty for a log stream that has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Container {
    pub id: String,
    pub name: String,
    pub image_name: String,
    pub image_id: String,
    pub hostname: String,
    pub daemon_name: String,
    pub entrypoint: String,
    pub args: Vec<String>,
    pub env: Vec<String>,
    pub labels: Vec<(String, String)>,
    pub log_options: Vec<(String, String)>,
    pub created: String,
    pub log_path: String,
    pub event: String,
}

impl Container {
    /// The short id that people see.
    pub fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    /// How to call it when speaking to people.
    pub fn called(&self) -> String {
        match (self.name.as_str(), self.short_id()) {
            ("", "") if self.event.is_empty() => "standard input".to_owned(),
            ("", "") => format!("events with {}", self.event),
            ("", id) => format!("container {id}"),
            (name, "") => format!("container {name}"),
            (name, id) => format!("container {name} ({id})"),
        }
    }
}
