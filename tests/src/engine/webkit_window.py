#!/usr/bin/python3
"""A window with WebKit in it, and nothing else: what the browser tests drive through WebKitWebDriver.

Its one argument says what it has, as JSON (see webkit.rs). On the socket `control` it takes one line of JSON a
connection, does it, and says `done`.
"""

import json
import os
import socket
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import GLib, Gtk, WebKit2  # noqa: E402

wanted = json.loads(sys.argv[1])

# WebKit's processes write consoles there too.
log = os.open(wanted["log"], os.O_WRONLY | os.O_APPEND)
os.dup2(log, 1)
os.dup2(log, 2)

if wanted["private"]:
    data = WebKit2.WebsiteDataManager(is_ephemeral=True)
else:
    kept = wanted["profile"]
    data = WebKit2.WebsiteDataManager(base_data_directory=f"{kept}/data", base_cache_directory=f"{kept}/cache")
    cookies = data.get_cookie_manager()
    cookies.set_persistent_storage(f"{kept}/cookies", WebKit2.CookiePersistentStorage.SQLITE)
data.set_network_proxy_settings(
    WebKit2.NetworkProxyMode.CUSTOM, WebKit2.NetworkProxySettings.new(wanted["proxy"], [])
)

context = WebKit2.WebContext.new_with_website_data_manager(data)
context.set_automation_allowed(True)
settings = WebKit2.Settings(
    enable_write_console_messages_to_stdout=True,
    enable_html5_database=wanted["storage"],
    enable_html5_local_storage=wanted["storage"],
)
scripts = WebKit2.UserContentManager()


def view(**more):
    page = WebKit2.WebView(settings=settings, is_controlled_by_automation=True, **more)
    window = Gtk.Window(default_width=1280, default_height=900, decorated=False)
    window.add(page)
    page.connect("close", lambda _: window.destroy())
    page.connect("create", lambda parent, _: view(related_view=parent))
    window.show_all()
    return page


def started(_, session):
    about = WebKit2.ApplicationInfo()
    about.set_name("TuppenceTests")
    about.set_version(WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version())
    session.set_application_info(about)
    session.connect("create-web-view", lambda _: view(web_context=context, user_content_manager=scripts))


def downloading(_, download):
    def destination(download, name):
        os.makedirs(wanted["downloads"], exist_ok=True)
        download.set_destination(GLib.filename_to_uri(os.path.join(wanted["downloads"], name), None))
        return True

    download.connect("decide-destination", destination)


def do(order):
    system = Gtk.Settings.get_default()
    if "dark" in order:
        system.set_property("gtk-application-prefer-dark-theme", order["dark"])
    if "calm" in order:
        system.set_property("gtk-enable-animations", not order["calm"])
    if "scripts" in order:
        settings.set_enable_javascript_markup(order["scripts"])
    if "clear" in order:
        clear(order["clear"])
    if "online" in order:
        scripts.remove_all_scripts()
        if not order["online"]:
            source = "Object.defineProperty(navigator, 'onLine', { get: () => false, configurable: true })"
            everywhere = WebKit2.UserContentInjectedFrames.ALL_FRAMES
            start = WebKit2.UserScriptInjectionTime.START
            scripts.add_script(WebKit2.UserScript.new(source, everywhere, start, None, None))


def clear(kinds):
    names = {
        "indexeddb": WebKit2.WebsiteDataTypes.INDEXEDDB_DATABASES,
        "cache_storage": WebKit2.WebsiteDataTypes.DOM_CACHE,
        "local_storage": WebKit2.WebsiteDataTypes.LOCAL_STORAGE,
    }
    types = WebKit2.WebsiteDataTypes(0)
    for kind in kinds:
        types |= names[kind]
    ended = []
    data.clear(types, 0, None, lambda _, result: ended.append(data.clear_finish(result)))
    while not ended:
        Gtk.main_iteration()


def listen(listener, _):
    connection, _ = listener.accept()
    with connection, connection.makefile("rw") as stream:
        try:
            do(json.loads(stream.readline()))
            stream.write("done\n")
        except Exception as error:
            stream.write(f"{error!r}\n")
    return True


if os.path.exists(wanted["control"]):
    os.remove(wanted["control"])
control = socket.socket(socket.AF_UNIX)
control.bind(wanted["control"])
control.listen()
GLib.io_add_watch(control, GLib.IO_IN, listen)
context.connect("automation-started", started)
context.connect("download-started", downloading)
Gtk.main()
