"""Runs an image as a container runtime does: its user, its environment, its command, on a root that
cannot be written to, with one volume and a folder for temporary files."""

import json
import os
import signal
import subprocess

VOLUME = "/var/lib/codexway"

# In a mount namespace of its own, so that nothing stays mounted: $1 is the root, $2 the volume.
SET_UP = f"""
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount --bind "$2" "$1{VOLUME}"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
mount -t proc proc "$1/proc"
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
for device in null zero random urandom; do
  : >"$1/dev/$device"
  mount --bind "/dev/$device" "$1/dev/$device"
done
mount -o remount,bind,ro "$1"
root=$1 user=$3
shift 3
exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" "$@"
"""


class Box:
    def __init__(self, image, root, volume):
        with open(image) as file:
            self.config = json.load(file)["Docker"]["config"]
        self.root, self.volume = root, volume
        # As runtimes do: where they mount something, there has to be something.
        for place in ["dev", "proc"]:
            os.makedirs(f"{root}/{place}", exist_ok=True)
        os.makedirs(volume, exist_ok=True)
        # A named volume begins as what the image has in its place.
        there = os.stat(root + VOLUME)
        os.chown(volume, there.st_uid, there.st_gid)
        os.chmod(volume, there.st_mode & 0o7777)

    def start(self, args=None, program=None, **variables):
        """The image's program, with `args` or the image's own."""
        environment = dict(entry.split("=", 1) for entry in self.config["Env"])
        entry = [program] if program else self.config["Entrypoint"]
        command = entry + (self.config["Cmd"] if args is None else args)
        command[0] = f"/usr/local/bin/{command[0]}"
        return subprocess.Popen(
            ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", SET_UP, "sh"]
            + [self.root, self.volume, self.config["User"]]
            + command,
            env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", **environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, args, **variables):
        """Until it ends: its exit code, and all that it said."""
        process = self.start(args, **variables)
        out, err = process.communicate(timeout=60)
        return process.returncode, out + err


class Server:
    """`codexway serve`, in the box."""

    def __init__(self, box, args=None, **variables):
        self.process = box.start(args, **variables)
        self.said = ""
        while "serves http://" not in self.said:
            line = self.process.stderr.readline()
            assert line, f"it has ended: {self.said}"
            self.said += line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def status(self, name):
        """A line of what the system knows of the process."""
        with open(f"/proc/{self.process.pid}/status") as file:
            line = next(line for line in file if line.startswith(f"{name}:"))
        return line.split(":", 1)[1].split()

    def stop(self, box):
        """As a runtime stops it; its exit code."""
        self.process.send_signal(getattr(signal, box.config["StopSignal"]))
        _, rest = self.process.communicate(timeout=20)
        self.said += rest
        return self.process.returncode
