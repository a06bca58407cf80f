"""A clock that tests can set, for the loaded modules of the product in this process and in those that it forks."""

import datetime as dt
import sys
import time
import types

from data.accounts.database import Accounts

_offset = [0.0, 0.0]  # the error of the clock in seconds, and by how much the next reading changes it


def set_clock(seconds, jump=0.0):
    """Make the clock wrong by `seconds`, and by `jump` seconds more at every second reading, from the next one on."""
    _offset[:] = [seconds, jump]


def _now():
    _offset[:] = [_offset[0] + _offset[1], -_offset[1]]
    return time.time() + _offset[0]


class _Kind(type):
    def __instancecheck__(cls, value):
        return isinstance(value, cls.__mro__[1])


class _Datetime(dt.datetime, metaclass=_Kind):
    @classmethod
    def now(cls, tz=None):
        return dt.datetime.fromtimestamp(_now(), tz)


class _Date(dt.date, metaclass=_Kind):
    @classmethod
    def today(cls):
        return dt.datetime.fromtimestamp(_now(), dt.UTC).date()


def _copy(module, **changed):
    shim = types.ModuleType(module.__name__)
    shim.__dict__.update({**vars(module), **changed})
    return shim


def install():
    """Put this clock into every loaded module of the product that reads the time."""
    changed = {
        id(dt.datetime): _Datetime,
        id(dt.date): _Date,
        id(dt): _copy(dt, datetime=_Datetime, date=_Date),
        id(time): _copy(time, time=_now),
        id(time.time): _now,
    }
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("data", "dashboard", "risk", "geo", "scripts"):
            for attribute, value in list(vars(module).items()):
                if id(value) in changed:
                    setattr(module, attribute, changed[id(value)])
    for function in (Accounts.open.__func__, Accounts.open_or_create.__func__):
        function.__kwdefaults__["clock"] = _now
    Accounts.__init__.__defaults__ = (_now,)
