//! `view!` in Leptos' own syntax, written out for a small download.
//!
//! Leptos' macro gives each element a type of its own, made of its tag, its attributes and its children, and compiles
//! what builds, changes and drops it once for each. This one calls a few functions of `crate::view` instead, for which
//! all elements are of one type. It knows what the wallet's pages use: elements with attributes, `on:`, `prop:` and
//! `node_ref`; components with properties and children; texts, blocks and fragments.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use rstml::Infallible;
use rstml::node::{KeyedAttribute, Node, NodeAttribute, NodeElement, NodeName};
use syn::spanned::Spanned;
use syn::{Error, Result};

/// Writes out a view of type `leptos::prelude::AnyView`.
#[proc_macro]
pub fn view(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let number = number();
    let written = rstml::parse(tokens).and_then(|nodes| {
        let view = one(&nodes)?;
        Ok(quote!(crate::view::template(#number, #view)))
    });
    written.unwrap_or_else(|error| error.to_compile_error()).into()
}

/// A number for this place in the source, by which its views are told from those of all others.
fn number() -> u32 {
    let place = proc_macro::Span::call_site();
    let mut hasher = DefaultHasher::new();
    (place.file(), place.line(), place.column()).hash(&mut hasher);
    (hasher.finish() >> 32) as u32
}

/// Several nodes side by side are one view too.
fn one(nodes: &[Node]) -> Result<TokenStream> {
    match nodes {
        [single] => node(single),
        _ => {
            let all = each(nodes)?;
            Ok(quote!(crate::view::many(::std::vec![#(#all),*])))
        }
    }
}

fn each(nodes: &[Node]) -> Result<Vec<TokenStream>> {
    nodes.iter().filter(|node| !matches!(node, Node::Comment(_))).map(node).collect()
}

fn node(node: &Node) -> Result<TokenStream> {
    match node {
        Node::Element(element) if is_component(element.name()) => component(element),
        Node::Element(element) => {
            let element = plain(element)?;
            Ok(quote!(#element.done()))
        }
        Node::Fragment(fragment) => one(&fragment.children),
        Node::Block(block) => Ok(quote!(crate::view::child(#[allow(unused_braces)] #block))),
        Node::Text(text) => {
            let text = &text.value;
            Ok(quote!(crate::view::text(#text)))
        }
        Node::RawText(text) => {
            let text = text.to_string_best();
            Ok(quote!(crate::view::text(#text)))
        }
        other => Err(Error::new(other.span(), "a page has no such part")),
    }
}

/// Components are named like types, elements in small letters.
fn is_component(name: &NodeName) -> bool {
    name.to_string().starts_with(|first: char| first.is_ascii_uppercase())
}

/// An element that is still open, as `crate::view::Element`.
fn plain(element: &NodeElement<Infallible>) -> Result<TokenStream> {
    // As the browser names the element that it makes, by which Leptos knows it again.
    let tag = element.name().to_string().to_ascii_uppercase();
    let attributes = element.attributes().iter().map(attribute).collect::<Result<Vec<_>>>()?;
    let children = element.children.iter().map(child).collect::<Result<Vec<_>>>()?;
    Ok(quote!(crate::view::Element::new(#tag) #(#attributes)* #(#children)*))
}

fn child(child: &Node) -> Result<TokenStream> {
    match child {
        Node::Element(element) if !is_component(element.name()) => {
            let element = plain(element)?;
            Ok(quote!(.element(#element)))
        }
        Node::Block(block) => Ok(quote!(.child(#[allow(unused_braces)] #block))),
        Node::Text(text) => {
            let text = &text.value;
            Ok(quote!(.text(#text)))
        }
        Node::Comment(_) => Ok(TokenStream::new()),
        other => {
            let view = node(other)?;
            Ok(quote!(.view(#view)))
        }
    }
}

fn attribute(attribute: &NodeAttribute) -> Result<TokenStream> {
    let attribute = keyed(attribute)?;
    let name = name_of(&attribute.key);
    let value = match attribute.value() {
        Some(value) => quote!(#value),
        None => quote!(true),
    };
    Ok(if let Some(event) = name.strip_prefix("on:") {
        let listen = format_ident!("on_{event}", span = attribute.key.span());
        quote!(.with(crate::view::#listen(#value)))
    } else if let Some(property) = name.strip_prefix("prop:") {
        quote!(.with(crate::view::property(#property, #value)))
    } else if name == "node_ref" {
        quote!(.with(crate::view::node(#value)))
    } else {
        quote!(.attribute(#name, #value))
    })
}

fn component(element: &NodeElement<Infallible>) -> Result<TokenStream> {
    let name = element.name();
    let properties = element.attributes().iter().map(property).collect::<Result<Vec<_>>>()?;
    let children = if element.children.is_empty() {
        None
    } else {
        let children = one(&element.children)?;
        Some(quote!(.children(::leptos::children::ToChildren::to_children(move || #children))))
    };
    Ok(quote! {
        crate::view::component(::leptos::component::component_view(
            &#name,
            ::leptos::component::component_props_builder(&#name) #(#properties)* #children .build(),
        ))
    })
}

fn property(attribute: &NodeAttribute) -> Result<TokenStream> {
    let attribute = keyed(attribute)?;
    let name = Ident::new(&name_of(&attribute.key), attribute.key.span());
    // As in a struct, `name` alone stands for `name=name`.
    let value = match attribute.value() {
        Some(value) => quote!(#value),
        None => quote!(#name),
    };
    Ok(quote!(.#name(#[allow(unused_braces)] { #value })))
}

fn keyed(attribute: &NodeAttribute) -> Result<&KeyedAttribute> {
    match attribute {
        NodeAttribute::Attribute(attribute) => Ok(attribute),
        NodeAttribute::Block(block) => Err(Error::new(block.span(), "an attribute has a name")),
    }
}

/// `aria-label` and `on:click` are several tokens.
fn name_of(name: &NodeName) -> String {
    name.to_string().split_whitespace().collect()
}
