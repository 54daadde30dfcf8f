//! What the marks on the pages mean, for those who have a document read to them: headings, tables, pictures with words.

use std::num::NonZeroU16;

use krilla::tagging::{Identifier, TableHeaderScope, Tag as Kind, TagGroup, TagKind, TagTree};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    Heading(u16, String),
    Paragraph,
    Table,
    Row,
    ColumnHead,
    RowHead,
    Cell,
    /// With what it shows.
    Figure(String),
    Caption,
}

/// One of them, by its place in the list.
pub type Tag = usize;

struct Node {
    role: Role,
    parent: Option<Tag>,
    leaves: Vec<Identifier>,
}

#[derive(Default)]
pub struct Tags(Vec<Node>);

impl Tags {
    pub fn add(&mut self, role: Role, parent: Option<Tag>) -> Tag {
        self.0.push(Node { role, parent, leaves: Vec::new() });
        self.0.len() - 1
    }

    pub fn found(&mut self, tag: Tag, leaf: Identifier) {
        self.0[tag].leaves.push(leaf);
    }

    /// As the file keeps it; what has nothing in it is left out.
    pub fn tree(self) -> TagTree {
        let mut groups: Vec<Option<TagGroup>> = Vec::with_capacity(self.0.len());
        let mut parents = Vec::with_capacity(self.0.len());
        for node in self.0 {
            let mut group = TagGroup::new(kind(node.role));
            node.leaves.into_iter().for_each(|leaf| group.push(leaf));
            groups.push(Some(group));
            parents.push(node.parent);
        }
        // A part comes after what it is a part of: from the end, each has all of its own when it is handed on. They are
        // handed on backwards, so each list is turned round before it is used.
        let mut tree = TagTree::new();
        let mut tops = Vec::new();
        for i in (0..groups.len()).rev() {
            let Some(mut group) = groups[i].take() else { continue };
            let has_groups = group.children.iter().any(|child| matches!(child, krilla::tagging::Node::Group(_)));
            if has_groups {
                group.children.reverse();
            }
            if group.children.is_empty() {
                continue;
            }
            match parents[i].and_then(|parent| groups[parent].as_mut()) {
                Some(parent) => parent.push(group),
                None => tops.push(group),
            }
        }
        tops.into_iter().rev().for_each(|group| tree.push(group));
        tree
    }
}

fn kind(role: Role) -> TagKind {
    match role {
        Role::Heading(level, title) => Kind::Hn(NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN), Some(title)).into(),
        Role::Paragraph => Kind::P.into(),
        Role::Table => Kind::Table.into(),
        Role::Row => Kind::TR.into(),
        Role::ColumnHead => Kind::TH(TableHeaderScope::Column).into(),
        Role::RowHead => Kind::TH(TableHeaderScope::Row).into(),
        Role::Cell => Kind::TD.into(),
        Role::Figure(alt) => Kind::Figure(Some(alt)).into(),
        Role::Caption => Kind::Caption.into(),
    }
}
