"""From the editor's first word to its last: folders, settings, files that change on disk."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import cattrs
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from lsp_server import settings
from lsp_server.asking import granted
from lsp_server.convert import uri_of
from lsp_server.lifetime import end, end_with
from lsp_server.server import Server
from lsp_server.settings import Settings

__all__ = ["register"]

SECTION = "personalizer"

_log = logging.getLogger(__name__)


def register(server: Server) -> None:
    @server.feature(lsp.INITIALIZE)
    def initialize(ls: Server, params: lsp.InitializeParams) -> None:
        ls.session.settings = _read(ls, params.initialization_options)
        ls.session.encoding = _plain(ls.workspace.position_encoding) or "utf-16"
        for uri in _folders(params):
            ls.session.add_folder(uri)

    @server.feature(lsp.INITIALIZED)
    async def initialized(ls: Server, _: lsp.InitializedParams) -> None:
        end_with(ls.process_id)
        for project in ls.session.projects:
            ls.begin(project.settle())
        await _watch(ls)

    @server.feature(lsp.SHUTDOWN)
    def leaving(ls: Server, _: None) -> None:
        ls.session.leaving = True

    @server.feature(lsp.EXIT)
    def left(ls: Server, _: None) -> None:
        end(0 if ls.session.leaving else 1)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders_changed(ls: Server, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        for folder in params.event.removed:
            ls.session.remove_folder(folder.uri)
        for folder in params.event.added:
            if project := ls.session.add_folder(folder.uri):
                ls.begin(project.settle())

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configured(ls: Server, params: lsp.DidChangeConfigurationParams) -> None:
        given = _plain(params.settings) or await _asked(ls)
        ours = _section(given)
        if ours is not None:
            before = ls.session.settings
            # Settings that change may come from a file of the repository: never trust.
            ls.session.settings = replace(_read(ls, ours), workspace=before.workspace)
            for listener in ls.session.when_set:
                listener(before, ls.session.settings)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(ls: Server, params: lsp.DidChangeWatchedFilesParams) -> None:
        deleted = lsp.FileChangeType.Deleted
        ls.session.gone(event.uri for event in params.changes if event.type == deleted)
        for event in params.changes:
            if event.type != deleted:
                ls.session.saved(event.uri)


def _folders(params: lsp.InitializeParams) -> list[str]:
    if params.workspace_folders:
        return [folder.uri for folder in params.workspace_folders]
    if params.root_uri:
        return [params.root_uri]
    return [uri_of("file://", params.root_path.lstrip("/"))] if params.root_path else []


async def _asked(server: Server) -> object:
    """The editor's settings for us, where it can be asked; None where it has none."""
    workspace = server.client_capabilities.workspace
    if not (workspace and workspace.configuration):
        return None
    item = lsp.ConfigurationItem(section=SECTION)
    params = lsp.ConfigurationParams([item])
    answer = await granted(server.workspace_configuration_async(params))
    return {SECTION: _plain(answer[0])} if answer else None


def _section(given: object) -> object:
    """Our part of an editor's settings; None where they say nothing to us.

    Example:
        >>> _section({"personalizer": {"codeLens": {}}}), _section({"codeLens": {}})
        ({'codeLens': {}}, {'codeLens': {}})
        >>> _section({"java": {"home": "/jdk"}}), _section({"personalizer": None})
        (None, None)
    """
    if not isinstance(given, Mapping):
        return None
    if SECTION in given:
        return given[SECTION]
    return given if settings.GROUPS & given.keys() else None


def _read(server: Server, given: object) -> Settings:
    read, problems = settings.read(_plain(given))
    if problems:
        server.say(f"Personalizer settings: {'; '.join(problems)}", lsp.MessageType.Warning)
    return read


def _plain(given: object) -> Any:
    return cattrs.unstructure(given)


async def _watch(server: Server) -> None:
    """Asks the editor to tell of files that change on disk, or looks for them itself."""
    workspace = server.client_capabilities.workspace
    watching = workspace.did_change_watched_files if workspace else None
    if watching and watching.dynamic_registration:
        # Of a folder that is deleted, editors tell the name, not those of the files in it.
        watchers = [
            lsp.FileSystemWatcher("**/*.java"),
            lsp.FileSystemWatcher("**/*", lsp.WatchKind.Delete),
        ]
        options = lsp.DidChangeWatchedFilesRegistrationOptions(watchers)
        wanted = lsp.Registration(
            "personalizer-java-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options
        )
        try:
            await server.client_register_capability_async(lsp.RegistrationParams([wanted]))
        except JsonRpcException as error:
            _log.warning("the editor does not watch files, so the server does: %s", error)
        else:
            return
    server.session.watch()
