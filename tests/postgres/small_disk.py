"""A cluster whose tables are in a file system of a few megabytes, which a test can fill."""

import os
import pathlib
import subprocess
import tempfile


class CannotMount(Exception):
    """Only root can mount a small disk, and not every root."""


class SmallDisk:
    def __init__(self, cluster, megabytes=40):
        if os.geteuid() != 0:
            raise CannotMount("only root can mount a small disk")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="presence-disk-"))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", self.folder],
                                 check=False, capture_output=True)
        if mounted.returncode != 0:
            self.folder.rmdir()
            raise CannotMount("this root cannot mount a small disk")
        owner = cluster.folder.stat()
        os.chown(self.folder, owner.st_uid, owner.st_gid)
        for sql in (f"CREATE TABLESPACE small LOCATION '{self.folder}'",
                    "ALTER ROLE presence SET default_tablespace = small"):
            subprocess.run(["psql", "-d", cluster.dsn, "-qc", sql], check=True)

    def fill(self):
        """Nothing is left, but pages that tables have already are used up first."""
        with open(self.folder / "filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass

    def make_room(self):
        (self.folder / "filler").unlink(missing_ok=True)

    def remove(self):
        subprocess.run(["umount", "-l", self.folder], check=True)
        self.folder.rmdir()
