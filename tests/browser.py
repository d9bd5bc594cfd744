"""A headless Chromium that a test drives by the DevTools protocol, over pipes."""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio"]
FLAGS += ["--remote-debugging-pipe", "--hide-scrollbars"]
FLAGS += ["--autoplay-policy=no-user-gesture-required", "--no-default-browser-check"]
KEYS = {
    "ArrowDown": 40,
    "ArrowUp": 38,
    "ArrowLeft": 37,
    "ArrowRight": 39,
    "Delete": 46,
    "Tab": 9,
    "Enter": 13,
}
SHIFT, CTRL = 8, 2
# The protocol is spoken over the file descriptors 3 and 4.
EXEC = "import os, sys; a = sys.argv; os.dup2(int(a[1]), 3); os.dup2(int(a[2]), 4)"
EXEC += "; os.execv(a[3], a[3:])"


class Page:
    """One page: JavaScript, keys, mouse, pictures; `problems` are the console's errors."""

    def __init__(self, folder, *, width=1280, height=800):
        read, self._out = map(_high, os.pipe())
        self._in, write = map(_high, os.pipe())
        words = [sys.executable, "-c", EXEC, str(read), str(write), CHROMIUM, *FLAGS]
        words += [f"--window-size={width},{height}", f"--user-data-dir={folder / 'user'}"]
        self._process = subprocess.Popen(
            words, pass_fds=(read, write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(read)
        os.close(write)
        self._rest, self._number, self._session, self.problems = b"", 0, None, []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.send(f"{domain}.enable")
        self.size(width, height)
        downloads = dict(behavior="allow", downloadPath=str(folder))
        self.send("Browser.setDownloadBehavior", **downloads, top=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.send("Browser.close", top=True)
        for end in (self._in, self._out):
            os.close(end)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def send(self, method, *, top=False, **params):
        self._number += 1
        message = dict(id=self._number, method=method, params=params)
        if self._session and not top:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _receive(self, seconds=60):
        while b"\0" not in self._rest:
            if not select.select([self._in], [], [], seconds)[0]:
                raise TimeoutError("the browser does not answer")
            more = os.read(self._in, 1 << 20)
            if not more:
                raise OSError("the browser ended")
            self._rest += more
        line, self._rest = self._rest.split(b"\0", 1)
        message = json.loads(line)
        method, told = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.problems.append(details.get("exception", details).get("description", details))
        if method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.problems.append(told["args"])
        if method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.problems.append(told["entry"])
        return message

    def size(self, width, height):
        size = dict(width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setDeviceMetricsOverride", **size)

    def open(self, path, seconds=20):
        self.open_blank()  # else the page before would be taken for the new one
        self.send("Page.navigate", url=path.as_uri())
        self.wait("location.protocol === 'file:' && document.readyState === 'complete'", seconds)

    def open_blank(self):
        self.send("Page.navigate", url="about:blank")
        self.wait("location.protocol === 'about:'")

    def js(self, code):
        """The value of an expression; a promise is waited for."""
        options = dict(returnByValue=True, awaitPromise=True)
        answer = self.send("Runtime.evaluate", expression=code, **options)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def wait(self, code, seconds=20):
        end = time.monotonic() + seconds
        while not self.js(code):
            assert time.monotonic() < end, f"never true: {code}"
            time.sleep(0.03)

    def press(self, *keys, modifiers=0):
        for key in keys:
            code = KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
            common = dict(key=key, windowsVirtualKeyCode=code, modifiers=modifiers)
            text = dict(text=key) if len(key) == 1 and not modifiers & CTRL else {}
            self.send("Input.dispatchKeyEvent", type="keyDown", **common, **text)
            self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def mouse(self, kind, x, y, *, modifiers=0, **more):
        held = dict(button="left", buttons=0 if kind == "mouseReleased" else 1, clickCount=1)
        options = (held if kind != "mouseWheel" else {}) | more
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, modifiers=modifiers, **options)

    def drag(self, start, end, *, modifiers=0):
        (x, y), (to, down) = start, end
        self.mouse("mousePressed", x, y, modifiers=modifiers)
        for share in (0.3, 0.6, 1):
            at = x + share * (to - x), y + share * (down - y)
            self.mouse("mouseMoved", *at, modifiers=modifiers)
        self.mouse("mouseReleased", to, down, modifiers=modifiers)

    def click(self, selector):
        """A real click on the middle of an element."""
        x, y = self.js(
            f"(() => {{ const b = document.querySelector({selector!r}).getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def choose_file(self, selector, path):
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def picture(self, path):
        shot = self.send("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(shot))


def _high(descriptor):
    """The same file under a number that is not 3 or 4."""
    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 20)
    os.close(descriptor)
    return high
