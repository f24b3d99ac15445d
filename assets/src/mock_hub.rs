//! A hub on loopback for tests: one repository, `org/tiny`, at one commit.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use tiny_http::{Header, Request, Response, Server};

/// The commit that the hub tells for its branch.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A file of the repository.
#[derive(Clone)]
pub(crate) struct HubFile {
    pub name: &'static str,
    pub content: Vec<u8>,
    /// What the hub says the size is.
    pub announced: usize,
    pub etag: String,
}

impl HubFile {
    pub fn new(name: &'static str, content: &str) -> HubFile {
        let content = content.as_bytes().to_vec();
        let (announced, etag) = (content.len(), format!("etag-of-{name}").replace('.', "-"));
        HubFile { name, content, announced, etag }
    }
}

/// A running hub. Stops when dropped.
pub(crate) struct MockHub {
    pub url: String,
    server: Arc<Server>,
    n_downloads: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl MockHub {
    pub fn serve(files: Vec<HubFile>) -> MockHub {
        let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let url = format!("http://{}", server.server_addr().to_ip().unwrap());
        let n_downloads = Arc::new(AtomicUsize::new(0));
        let (for_thread, counter) = (server.clone(), n_downloads.clone());
        let thread = thread::spawn(move || {
            for request in for_thread.incoming_requests() {
                answer(request, &files, &counter);
            }
        });
        MockHub { url, server, n_downloads, thread: Some(thread) }
    }

    /// How many whole files were sent.
    pub fn n_downloads(&self) -> usize {
        self.n_downloads.load(Ordering::SeqCst)
    }
}

impl Drop for MockHub {
    fn drop(&mut self) {
        self.server.unblock();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn answer(request: Request, files: &[HubFile], n_downloads: &AtomicUsize) {
    let path = request.url().to_string();
    if path == "/api/models/org/tiny/revision/main" {
        let names: Vec<_> =
            files.iter().map(|file| format!("{{\"rfilename\":\"{}\"}}", file.name)).collect();
        let text = format!("{{\"sha\":\"{COMMIT}\",\"siblings\":[{}]}}", names.join(","));
        return request.respond(Response::from_string(text)).unwrap();
    }
    let name = ["main", COMMIT]
        .into_iter()
        .find_map(|revision| path.strip_prefix(&format!("/org/tiny/resolve/{revision}/")));
    let Some(file) = name.and_then(|name| files.iter().find(|file| file.name == name)) else {
        return request.respond(Response::from_string("no").with_status_code(404)).unwrap();
    };
    let range = request.headers().iter().find(|header| header.field.equiv("Range"));
    let is_probe = range.is_some_and(|header| header.value.as_str() == "bytes=0-0");
    let body = if is_probe { &file.content[..1] } else { &file.content[..] };
    if !is_probe {
        n_downloads.fetch_add(1, Ordering::SeqCst);
    }
    let mut response = Response::from_data(body).with_status_code(206);
    for (name, value) in [
        ("ETag", file.etag.clone()),
        ("X-Repo-Commit", COMMIT.to_string()),
        ("Content-Range", format!("bytes 0-0/{}", file.announced)),
    ] {
        response.add_header(Header::from_bytes(name, value).unwrap());
    }
    request.respond(response).unwrap();
}

/// A hub whose connection breaks a few bytes into each file. Gives its address; the thread ends
/// with the test process.
pub(crate) fn serve_broken_connections(announced: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read_exact(&mut byte).is_err() {
                    break;
                }
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).to_lowercase();
            let length = if head.contains("bytes=0-0") { 1 } else { announced };
            let reply = format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Length: {length}\r\n\
                 Content-Range: bytes 0-0/{announced}\r\nETag: e\r\nX-Repo-Commit: {COMMIT}\r\n\
                 Connection: close\r\n\r\nx"
            );
            stream.write_all(reply.as_bytes()).ok();
        }
    });
    url
}
