"""Workspaces and users, as an admin works on them.

Law: plain JSON in and out; what was changed counts when the call returns.
"""

import asyncio
from typing import Any, Protocol

import msgspec

from conflux.accounts.passwords import hash_password
from conflux.faces.asked import Named, asked
from conflux.faces.operations import Work
from conflux.neutral.errors import ConfigError
from conflux.neutral.people import DEFAULT, UserRow, WorkspaceRow


class People(Protocol):
    async def workspaces(self) -> list[WorkspaceRow]: ...
    async def workspace(self, name: str) -> WorkspaceRow: ...
    async def create_workspace(self, name: str) -> WorkspaceRow: ...
    async def rename_workspace(self, name: str, new: str) -> WorkspaceRow: ...
    async def open_workspace(self, name: str, *, enabled: bool) -> WorkspaceRow: ...
    async def delete_workspace(self, name: str) -> None: ...
    async def users(self, workspace: str | None = None) -> list[UserRow]: ...
    async def user(self, workspace: str, name: str) -> UserRow: ...
    async def create_user(self, workspace: str, name: str, role: str) -> UserRow: ...
    async def set_role(self, workspace: str, name: str, role: str) -> UserRow: ...
    async def open_user(self, workspace: str, name: str, *, enabled: bool) -> UserRow: ...
    async def delete_user(self, workspace: str, name: str) -> None: ...


class Passwords(Protocol):
    async def set_password(self, workspace: str, user: str, hashed: str | None) -> None: ...


class Renamed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    new_name: str


class UserAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    workspace: str = DEFAULT
    role: str | None = None


class PasswordAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    workspace: str = DEFAULT
    password: str | None  # None takes it away


class UsersOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    workspace: str | None = None


class PeopleAdmin:
    def __init__(self, people: People, passwords: Passwords) -> None:
        self._people = people
        self._passwords = passwords

    def table(self) -> dict[str, Work]:
        return {
            "workspaces.list": self.workspaces,
            "workspaces.show": self.workspace,
            "workspaces.create": self.create_workspace,
            "workspaces.set": self.rename_workspace,
            "workspaces.enable": self.enable_workspace,
            "workspaces.disable": self.disable_workspace,
            "workspaces.delete": self.delete_workspace,
            "users.list": self.users,
            "users.show": self.user,
            "users.create": self.create_user,
            "users.set": self.set_user,
            "users.enable": self.enable_user,
            "users.disable": self.disable_user,
            "users.delete": self.delete_user,
            "users.password": self.set_password,
        }

    async def workspaces(self, params: dict[str, Any]) -> Any:
        return {"workspaces": msgspec.to_builtins(await self._people.workspaces())}

    async def workspace(self, params: dict[str, Any]) -> Any:
        name = asked("workspaces show", params, Named).name
        return _shown(await self._people.workspace(name)) | {"members": await self._members(name)}

    async def _members(self, workspace: str) -> Any:
        return [{"name": one.name, "role": one.role, "enabled": one.enabled}
                for one in await self._people.users(workspace)]  # fmt: skip

    async def create_workspace(self, params: dict[str, Any]) -> Any:
        return _shown(await self._people.create_workspace(asked("workspaces create", params, Named).name))

    async def rename_workspace(self, params: dict[str, Any]) -> Any:
        wish = asked("workspaces set", params, Renamed)
        return _shown(await self._people.rename_workspace(wish.name, wish.new_name))

    async def enable_workspace(self, params: dict[str, Any]) -> Any:
        name = asked("workspaces enable", params, Named).name
        return _shown(await self._people.open_workspace(name, enabled=True))

    async def disable_workspace(self, params: dict[str, Any]) -> Any:
        name = asked("workspaces disable", params, Named).name
        return _shown(await self._people.open_workspace(name, enabled=False))

    async def delete_workspace(self, params: dict[str, Any]) -> Any:
        name = asked("workspaces delete", params, Named).name
        await self._people.delete_workspace(name)
        return {"name": name, "deleted": True}

    async def users(self, params: dict[str, Any]) -> Any:
        workspace = asked("users list", params, UsersOf).workspace
        return {"users": msgspec.to_builtins(await self._people.users(workspace))}

    async def user(self, params: dict[str, Any]) -> Any:
        wish = _user("users show", params)
        return _shown(await self._people.user(wish.workspace, wish.name))

    async def create_user(self, params: dict[str, Any]) -> Any:
        wish = asked("users create", params, UserAsked)
        return _shown(await self._people.create_user(wish.workspace, wish.name, wish.role or "member"))

    async def set_user(self, params: dict[str, Any]) -> Any:
        wish = asked("users set", params, UserAsked)
        if wish.role is None:
            raise ConfigError(["users set: say what is to change: --role owner, admin or member"])
        return _shown(await self._people.set_role(wish.workspace, wish.name, wish.role))

    async def enable_user(self, params: dict[str, Any]) -> Any:
        wish = _user("users enable", params)
        return _shown(await self._people.open_user(wish.workspace, wish.name, enabled=True))

    async def disable_user(self, params: dict[str, Any]) -> Any:
        wish = _user("users disable", params)
        return _shown(await self._people.open_user(wish.workspace, wish.name, enabled=False))

    async def delete_user(self, params: dict[str, Any]) -> Any:
        wish = _user("users delete", params)
        await self._people.delete_user(wish.workspace, wish.name)
        return {"workspace": wish.workspace, "name": wish.name, "deleted": True}

    async def set_password(self, params: dict[str, Any]) -> Any:
        """With which the user signs in to the web. Every session of theirs ends."""
        wish = asked("users password", params, PasswordAsked)
        await self._people.user(wish.workspace, wish.name)
        hashed = await asyncio.to_thread(hash_password, wish.password) if wish.password is not None else None
        await self._passwords.set_password(wish.workspace, wish.name, hashed)
        return {"workspace": wish.workspace, "name": wish.name, "password": hashed is not None}


def _user(operation: str, params: dict[str, Any]) -> UserAsked:
    wish = asked(operation, params, UserAsked)
    if wish.role is not None:
        raise ConfigError([f"{operation}: a role is given by `users set`"])
    return wish


def _shown(row: WorkspaceRow | UserRow) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(row)
    return shown
