//! An API as a list: each address with its methods, who may call them, and how much they take.
//!
//! The list makes the routes, and the test of the API description reads the same list.

use actix_web::dev::{AppService, HttpServiceFactory, ResourceDef};
use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, Handler, Responder, Route, web};

use crate::http::error::ApiError;
use crate::http::message::{BODY_BYTES_MAX, BodyMax};
use crate::http::middleware::gate::{self, Access};

/// One address of an API.
pub struct Endpoint {
    path: &'static str,
    body_bytes_max: usize,
    held: bool,
    methods: Vec<(Method, Access, Route)>,
}

impl Endpoint {
    /// The address `path`, a pattern such as `/campaigns/{item}`, below the API's prefix.
    pub fn at(path: &'static str) -> Self {
        Endpoint { path, body_bytes_max: BODY_BYTES_MAX, held: false, methods: Vec::new() }
    }

    /// Takes bodies of at most so many bytes.
    #[must_use]
    pub fn body_bytes_max(mut self, bytes: usize) -> Self {
        self.body_bytes_max = bytes;
        self
    }

    /// Holds requests open by design, so they do not count as work in progress; the handler limits them.
    #[must_use]
    pub fn held(mut self) -> Self {
        self.held = true;
        self
    }

    /// GET, and HEAD with it.
    #[must_use]
    pub fn get<F, Args>(self, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::GET, access, handler)
    }

    /// POST.
    #[must_use]
    pub fn post<F, Args>(self, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::POST, access, handler)
    }

    fn method<F, Args>(mut self, method: Method, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let guard = guard_of(&method);
        let route = web::route().guard(guard).to(handler);
        self.methods.push((method, access, route));
        self
    }

    /// The pattern, as given.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The methods, HEAD and OPTIONS apart.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.methods.iter().map(|(method, _, _)| method)
    }
}

fn guard_of(method: &Method) -> impl Guard + 'static {
    let head = *method == Method::GET;
    let method = method.clone();
    guard::fn_guard(move |context| {
        let asked = &context.head().method;
        *asked == method || (head && *asked == Method::HEAD)
    })
}

/// The address itself, its gate, and the answer to other methods.
impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        let policies: Vec<_> =
            self.methods.iter().map(|(method, access, _)| (method.clone(), access.clone())).collect();
        let allow: Vec<_> = policies.iter().map(|(method, _)| method.clone()).collect();
        let gate = gate::Gate::new(policies, self.held);
        let mut resource =
            web::resource(ResourceDef::new(self.path).pattern().unwrap_or(self.path).to_owned())
                .app_data(BodyMax(self.body_bytes_max));
        for (_, _, route) in self.methods {
            resource = resource.route(route);
        }
        resource
            .default_service(web::to(move || {
                let error = ApiError::method(allow.clone());
                async move { Err::<&'static str, _>(error) }
            }))
            .wrap(from_fn(move |request, next| gate::pass(gate.clone(), request, next)))
            .register(config);
    }
}

/// Registers `endpoints` below `prefix`; anything else there is not found, and says so as JSON.
pub fn api(prefix: &str, endpoints: Vec<Endpoint>) -> actix_web::Scope {
    scope(prefix, endpoints).default_service(web::to(async || Err::<&'static str, _>(ApiError::not_found())))
}

/// Registers `endpoints` below `prefix`; anything else there is what it would be without them.
pub fn scope(prefix: &str, endpoints: Vec<Endpoint>) -> actix_web::Scope {
    endpoints.into_iter().fold(web::scope(prefix), actix_web::Scope::service)
}
