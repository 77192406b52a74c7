"""Serves moto on a free port of the loopback address, which it prints, until
its standard input closes: it cannot outlive whoever started it."""

import sys
import threading
import uuid

from moto.cognitoidp.models import CognitoIdpUser
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

create = CognitoIdpUser.__init__


def create_lasting(user, *args, **kwargs):
    """The same username has the same sub each time, which infra/events names."""
    create(user, *args, **kwargs)
    user.id = str(uuid.uuid5(uuid.NAMESPACE_URL, user.username))
    user.update_attributes([{"Name": "sub", "Value": user.id}])


CognitoIdpUser.__init__ = create_lasting

server = make_server(
    "127.0.0.1",
    0,
    DomainDispatcherApplication(create_backend_app),
    threaded=True,
    request_handler=MotoRequestHandler,
)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("listening on port", server.server_port, flush=True)
while sys.stdin.buffer.read(4096):
    pass
