"""
A static nginx that answers every request alike: what clients are measured against.

Below ``/differing`` each answer has a header of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import free_port, running

_NGINX = """
daemon off; master_process off; error_log stderr crit; worker_rlimit_nofile 16384;
pid {folder}/nginx.pid;
events {{ worker_connections 12000; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location / {{ return 201 '{{"status":"created"}}'; }}
    location /differing/ {{
      add_header X-Request-Id $request_id;
      return 201 '{{"status":"created"}}';
    }}
  }}
}}
"""


@contextmanager
def sink() -> Iterator[tuple[str, Path]]:
    """Its URL, and a folder for whatever a client needs."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        config = folder / "nginx.conf"
        config.write_text(_NGINX.format(folder=folder, port=port))
        argv = ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(config)]
        with running(argv, port=port):
            yield f"http://127.0.0.1:{port}", folder
