//! Which parts of its data a template looks at.

use std::collections::BTreeSet;

use super::Template;
use super::function::Function;
use super::syntax::{Branch, Command, List, Node, Pipe, Word, WordKind};

/// What a template takes of one field of its data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The names of what it takes of it: `b` and `c` of `{{.A.b.x}}{{index .A "c"}}`.
    pub names: BTreeSet<String>,
    /// Whether it takes the field as a whole somewhere.
    pub whole: bool,
}

impl Template {
    /// What the template takes of the field of this name.
    pub fn takes_of(&self, field: &str) -> Taken {
        let mut search = Search { field, taken: Taken::default() };
        for tree in self.parsed.trees.values() {
            search.list(tree);
        }
        search.taken
    }
}

struct Search<'a> {
    field: &'a str,
    taken: Taken,
}

impl Search<'_> {
    fn list(&mut self, list: &List) {
        for node in &list.nodes {
            match node {
                Node::Action { pipe, .. } => self.pipe(pipe),
                Node::If(branch) | Node::With(branch) | Node::Range(branch) => self.branch(branch),
                Node::Template(call) => call.pipe.iter().for_each(|pipe| self.pipe(pipe)),
                Node::Text { .. } | Node::Break { .. } | Node::Continue { .. } => {}
            }
        }
    }

    fn branch(&mut self, branch: &Branch) {
        self.pipe(&branch.pipe);
        self.list(&branch.list);
        branch.otherwise.iter().for_each(|list| self.list(list));
    }

    fn pipe(&mut self, pipe: &Pipe) {
        pipe.commands.iter().for_each(|command| self.command(command));
    }

    fn command(&mut self, command: &Command) {
        match command.words.as_slice() {
            [index, of, key, rest @ ..] if is_index(index) && self.path(of).is_some_and(<[_]>::is_empty) => {
                match &key.kind {
                    WordKind::String { bytes, .. } => {
                        self.taken.names.insert(String::from_utf8_lossy(bytes).into_owned());
                    }
                    _ => self.taken.whole = true,
                }
                rest.iter().chain([key]).for_each(|word| self.word(word));
            }
            words => words.iter().for_each(|word| self.word(word)),
        }
    }

    fn word(&mut self, word: &Word) {
        match self.path(word) {
            Some([name, ..]) => {
                self.taken.names.insert(name.clone());
            }
            Some([]) => self.taken.whole = true,
            None => {}
        }
        match &word.kind {
            WordKind::Chain { of, .. } => self.word(of),
            WordKind::Pipe(pipe) => self.pipe(pipe),
            _ => {}
        }
    }

    /// What follows the field in a word that begins with it.
    fn path<'w>(&self, word: &'w Word) -> Option<&'w [String]> {
        let fields = match &word.kind {
            WordKind::Field(fields) => fields,
            WordKind::Variable { fields, .. } | WordKind::Chain { fields, .. } => fields,
            _ => return None,
        };
        fields.split_first().filter(|(first, _)| *first == self.field).map(|(_, path)| path)
    }
}

fn is_index(word: &Word) -> bool {
    matches!(word.kind, WordKind::Function(Function::Index))
}

#[cfg(test)]
mod tests {
    use super::super::FunctionSet;
    use super::*;

    #[test]
    fn every_way_to_a_field_is_seen() {
        for (template, names, whole) in [
            ("plain {{.Name}} {{.}}", &[][..], false),
            ("{{.Event.service}}-{{.Event.pod.name}}", &["pod", "service"], false),
            (
                "{{index .Event \"a-b\"}}{{index .Event.resource \"service.name\"}}",
                &["a-b", "resource"],
                false,
            ),
            ("{{index .Event \"r\" \"x\"}}{{(index .Event \"s\").x}}", &["r", "s"], false),
            (
                "{{if .Event.a}}{{.Event.b}}{{else}}{{with .Event.c}}{{.}}{{end}}{{end}}",
                &["a", "b", "c"],
                false,
            ),
            ("{{range .Env}}{{$.Event.d}}{{end}}", &["d"], false),
            ("{{$x := .Event.e | lower}}{{$x}}", &["e"], false),
            ("{{printf \"%s\" (upper .Event.f)}}", &["f"], false),
            ("{{define \"u\"}}{{.Event.g}}{{end}}{{template \"u\" .}}", &["g"], false),
            ("{{or .Event.h (index .Event \"i\") \"none\"}}", &["h", "i"], false),
            ("{{.Event}}", &[], true),
            ("{{with .Event}}{{.a}}{{end}}", &[], true),
            ("{{index .Event .Name}}", &[], true),
            ("{{json .Event}}{{.Event.a}}", &["a"], true),
        ] {
            let parsed = Template::parse("t", template, FunctionSet::Docker).unwrap();
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(parsed.takes_of("Event"), Taken { names, whole }, "{template}");
        }
    }
}
