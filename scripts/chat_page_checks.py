"""What check_page.py looks at: the chat page against the real server, and against one that misbehaves."""

import json
import math
from contextlib import contextmanager
from urllib.parse import urlsplit

from chat_page_mock import FAMILY, HOSTILE, Mock

LAST = "#talk .answered:last-child"
DONE = f"{LAST} #regenerate, {LAST} .trouble"


class Reader:
    """Opens pages, counts what held, and hears what a page complains about."""

    def __init__(self, browser, shots):
        self.browser, self.shots = browser, shots
        self.held, self.faults = 0, []

    def check(self, name, holds, found=""):
        if holds:
            self.held += 1
        else:
            self.faults.append(f"{name}: {found!r}"[:600])
            print(f"FAILED {self.faults[-1]}", flush=True)

    @contextmanager
    def page(self, url, width=1280, height=800, scheme="light", language="en-US", expected=(), **context):
        """A page at `url`, in a browser that knows nothing yet; the console may say `expected` only."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme,
                                           locale=language, **context)
        page = context.new_page()
        page.set_default_timeout(180_000)  # a small machine may be busy
        said, asked = [], []
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.add_init_script("addEventListener('securitypolicyviolation', event =>"
                             " console.error('policy violated: ' + event.violatedDirective + ' ' + event.sample))")
        page.goto(url)
        try:
            yield page
        finally:
            said = [text for text in said if not any(part in text for part in expected)]
            self.check(f"{url}: nothing in the console", not said, said)
            origins = {urlsplit(address)[:2] for address in asked if not address.startswith("data:")}
            self.check(f"{url}: no request leaves the origin", origins == {urlsplit(url)[:2]}, origins)
            self.check(f"{url}: nothing hostile ran", page.evaluate("window.hacked === undefined"))
            context.close()

    def shot(self, page, name):
        if self.shots:
            page.screenshot(path=str(self.shots / f"{name}.png"))


def text_of(page):
    return page.eval_on_selector(f"{LAST} .text", "text => text.textContent")


def say(page, text, wait=True):
    """Writes and presses Enter."""
    page.fill("#input", text)
    page.press("#input", "Enter")
    if wait:
        page.wait_for_selector(DONE)


def events_of(body):
    """The chunks of a stream."""
    lines = [line[5:].strip() for line in body.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def listen(page):
    """Keeps a copy of what is streamed to the page: a browser does not."""
    page.evaluate("""() => { const before = fetch; window.fetch = async (...options) => {
        const response = await before(...options);
        if (!(response.headers.get('Content-Type') ?? '').startsWith('text/event-stream')) return response;
        const [here, there] = response.body.tee();
        new Response(there).text().then(text => { window.heard = text; }, () => {});
        return new Response(here, response);
      }; }""")


def percent_of(text):
    """(the least, the most) that a shown probability may stand for."""
    if text.startswith("<"):
        return 0, 1e-4
    digits = len(text.rstrip("%").partition(".")[2])
    value, half = float(text.rstrip("%")) / 100, 0.5 * 10 ** -(digits + 2)
    return value - half - 1e-9, value + half + 1e-9


def candidates_of(page):
    """Of each table, one for each token: (piece, shown probability, is the chosen one, part of the room that its bar takes)."""
    return page.eval_on_selector_all("#panel.open .candidates", """tables => tables.map(table =>
        [...table.querySelectorAll('tr:not(.others)')].map(row => [
          row.querySelector('.piece').textContent, row.querySelector('.number').textContent, row.className === 'came',
          row.querySelector('i').getBoundingClientRect().width / row.querySelector('.bar').clientWidth]))""")


def check_panel(reader, name, page):
    """The rows of the last token's table."""
    tables = candidates_of(page)
    reader.check(f"{name}: candidates show", tables and all(len(rows) >= 2 for rows in tables), tables)
    for rows in tables:
        bounds = [percent_of(row[1]) for row in rows]
        reader.check(f"{name}: probabilities sum to no more than 1", sum(low for low, _ in bounds) <= 1, rows)
        reader.check(f"{name}: one candidate is marked", sum(row[2] for row in rows) == 1, rows)
        # The chosen one stands last where it is none of the likeliest.
        ranked = rows[:-1] if rows[-1][2] else rows
        reader.check(f"{name}: bars shrink with probabilities", all(a[3] >= b[3] for a, b in zip(ranked, ranked[1:])), rows)
    return tables[-1] if tables else []


def until(page, expression, seconds=60):
    """Waits for what a page's policy would not let the browser's own way of waiting evaluate."""
    for _ in range(seconds * 50):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(20)
    raise TimeoutError(f"{expression} did not come true in {seconds} s")


def watch(page, least=4):
    """Lengths of the reply while it grows."""
    lengths = []
    for _ in range(2000):
        lengths.append(len(text_of(page)))
        if len(set(lengths)) > least or page.query_selector(DONE):
            return lengths
        page.wait_for_timeout(15)
    return lengths


def fits(reader, name, page):
    # A phone's browser takes what is too wide for a wider window: not its own measure counts.
    wide = page.evaluate("""width => [innerWidth, document.documentElement.scrollWidth,
        ...[...document.querySelectorAll('header *, main *, dialog[open] *')].filter(element => {
          const box = element.getBoundingClientRect();
          return box.width > 1.5 && (box.right > width + 0.5 || box.left < -0.5);
        }).map(element => element.outerHTML.slice(0, 80))]""", page.viewport_size["width"])
    reader.check(f"{name}: nothing is wider than the window", wide == [page.viewport_size["width"]] * 2, wide)


def against_server(reader, url):
    with reader.page(url) as page:
        until(page, "document.querySelector('#model').textContent.length > 0")
        names = page.evaluate("fetch('v1/models').then(r => r.json()).then(list => list.data.map(model => model.id))")
        reader.check("the model's name", page.text_content("#model") in names, (page.text_content("#model"), names))
        listen(page)
        say(page, "Name three colors and say where one sees them.", wait=False)
        lengths = watch(page)
        reader.check("the text grows while it streams", len(set(lengths)) > 3 and lengths == sorted(lengths), lengths)
        page.wait_for_selector(DONE)
        chunks = events_of(page.evaluate("window.heard"))
        content = "".join((chunk["choices"][0]["delta"].get("content") or "") for chunk in chunks if chunk["choices"])
        reader.check("what is shown is what came", text_of(page) == content and content, (text_of(page), content))
        check_figures(reader, page, chunks)
        check_tokens(reader, page, chunks)
        keyboard(reader, page, "keys")
        reload(reader, page)
        stop(reader, page)
        with page.expect_request("**/v1/chat/completions") as waited:
            settings(page)
            say(page, "你好！请用中文介绍一下你自己。")
        check_request(reader, waited.value.post_data_json)
        reader.check("Chinese is answered in whole characters", text_of(page) and
                     # The end of the reply may cut a character.
                     "\ufffd" not in text_of(page).rstrip("\ufffd"), text_of(page))
        first = text_of(page)
        page.click("#regenerate")
        page.wait_for_selector(f"{LAST} #regenerate", state="detached")
        page.wait_for_selector(DONE)
        reader.check("regenerated with the same seed", text_of(page) == first, (first, text_of(page)))
        page.click("#new")
        reader.check("a new conversation is empty", page.query_selector("#talk article") is None)
        page.reload()
        reader.check("and stays empty", page.query_selector("#talk article") is None)


def check_figures(reader, page, chunks):
    usage = [chunk["usage"] for chunk in chunks if chunk.get("usage")][-1]
    figures = page.text_content(f"{LAST} .figures")
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    for number in (usage["prompt_tokens"], usage["completion_tokens"], *([cached] if cached else [])):
        reader.check("token counts are the server's", f"{number:,}" in figures, (number, figures))
    reader.check("speed and time to first token show", "tokens/s" in figures and "first after" in figures, figures)


def check_tokens(reader, page, chunks):
    """What the panel says of each of some tokens against what the server said."""
    tokens = [token for chunk in chunks if chunk["choices"]
              for token in (chunk["choices"][0].get("logprobs") or {}).get("content") or []]
    spans = page.query_selector_all(f"{LAST} .token")
    reader.check("tokens are there to point at", len(spans) > 5, len(spans))
    if all(b"".join(bytes(t["bytes"]) for t in tokens[:index + 1]).decode("utf-8", "ignore").encode()
           == b"".join(bytes(t["bytes"]) for t in tokens[:index + 1]) for index in range(12)):
        for index in range(0, min(12, len(spans)), 3):
            spans[index].hover()
            rows = check_panel(reader, f"pointer at token {index}", page)
            came = next(row for row in rows if row[2])
            low, high = percent_of(came[1])
            told = math.exp(tokens[index]["logprob"])
            reader.check(f"probability of token {index}", low <= told <= high, (came, told))
    page.click("#confidence")
    colours = {span.evaluate("span => getComputedStyle(span).backgroundColor") for span in spans[:60]}
    reader.check("confidence has colours", len(colours) > 1, colours)
    page.click("#confidence")


def keyboard(reader, page, name):
    """From the composer to the last reply by Shift+Tab, along it by arrows, and back."""
    page.focus("#input")
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.classList.contains('token')"):
            break
    place = """() => [...document.activeElement.closest('.text').querySelectorAll('.token')].indexOf(document.activeElement)"""
    reader.check(f"{name}: the reply is reached", page.evaluate("document.activeElement.classList.contains('token')"))
    page.keyboard.press("Home")
    for step in range(1, 4):
        page.keyboard.press("ArrowRight")
        reader.check(f"{name}: arrows walk", page.evaluate(place) == step, page.evaluate(place))
        check_panel(reader, f"{name}, token {step}", page)
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    reader.check(f"{name}: focus is visible", outline == "solid", outline)
    reader.check(f"{name}: it is told to screen readers", "%" in page.text_content("#spoken"), page.text_content("#spoken"))
    page.keyboard.press("ArrowLeft")
    reader.check(f"{name}: arrows walk back", page.evaluate(place) == 2, page.evaluate(place))
    top = page.evaluate("document.activeElement.getBoundingClientRect().top")
    page.keyboard.press("ArrowDown")
    lower = page.evaluate("document.activeElement.getBoundingClientRect().top")
    page.keyboard.press("End")
    total = page.evaluate("document.activeElement.closest('.text').querySelectorAll('.token').length")
    reader.check(f"{name}: the end is reached", page.evaluate(place) == total - 1, page.evaluate(place))
    page.keyboard.press("ArrowRight")
    reader.check(f"{name}: and stays", page.evaluate(place) == total - 1, page.evaluate(place))
    last = page.evaluate("document.activeElement.getBoundingClientRect().top")
    page.keyboard.press("ArrowUp")
    upper = page.evaluate("document.activeElement.getBoundingClientRect().top")
    reader.check(f"{name}: a line up", upper < last or lower == top, (last, upper))
    page.keyboard.press("Escape")
    reader.check(f"{name}: Escape closes", candidates_of(page) == [], candidates_of(page))
    page.keyboard.press("Escape")
    reader.check(f"{name}: Escape leaves", page.evaluate("document.activeElement.id") == "input")


def reload(reader, page):
    before = page.eval_on_selector_all("#talk .text", "texts => texts.map(text => text.textContent)")
    spans = len(page.query_selector_all("#talk .token"))
    page.reload()
    after = page.eval_on_selector_all("#talk .text", "texts => texts.map(text => text.textContent)")
    reader.check("a reload keeps the conversation", before == after and before, (before, after))
    reader.check("and its tokens", len(page.query_selector_all("#talk .token")) == spans > 0, spans)
    page.hover(f"{LAST} .token")
    check_panel(reader, "after a reload", page)


def stop(reader, page):
    say(page, "Write a very long story about a river, with many details.", wait=False)
    until(page, f"document.querySelectorAll('{LAST} .token').length > 8")
    page.keyboard.press("Tab")
    reader.check("the stop button is next to the composer", page.evaluate("document.activeElement.id") == "stop")
    page.keyboard.press("Enter")
    page.wait_for_selector(DONE)
    text = text_of(page)
    page.wait_for_timeout(400)
    reader.check("stop keeps what was said, and no more comes", text and text_of(page) == text, text)
    reader.check("it says so", "stopped" in page.text_content(f"{LAST} .figures"), page.text_content(f"{LAST} .figures"))


def settings(page, system="Answer briefly.", **values):
    values = {"temperature": "0.7", "top_p": "0.9", "max_tokens": "48", "seed": "11", **values}
    page.click("#open-settings")
    page.fill("#set-system", system)
    for name, value in values.items():
        page.fill(f"#set-{name}", value)
    page.press("#set-seed", "Enter")
    page.wait_for_selector("#settings", state="hidden")


def check_request(reader, sent):
    expected = {"temperature": 0.7, "top_p": 0.9, "max_completion_tokens": 48, "seed": 11, "stream": True,
                "stream_options": {"include_usage": True}, "logprobs": True, "top_logprobs": 8}
    reader.check("settings are sent", {key: sent.get(key) for key in expected} == expected, sent)
    reader.check("the system prompt comes first", sent["messages"][0] == {"role": "system", "content": "Answer briefly."}
                 and sent["messages"][-1]["role"] == "user", sent["messages"])


def key_flow(reader, url, key, name, mock=None):
    """The server asks, a wrong key is refused, a right one goes through; then it is this tab's alone."""
    if mock:
        mock.key = key
    with reader.page(url, expected=["401"]) as page:
        page.wait_for_selector("#key-dialog[open]")
        page.fill("#key", "wrong-key")
        page.press("#key", "Enter")
        page.wait_for_selector("#key-trouble:visible")
        page.fill("#key", "schlüssel 密钥")
        page.press("#key", "Enter")
        reader.check(f"key {name}: one that cannot be sent is refused", page.is_visible("#key-dialog"))
        page.click("#cancel-key")
        say(page, "Hello")
        reader.check(f"key {name}: a reply without a key says why", "API key" in page.text_content(f"{LAST} .trouble"))
        page.wait_for_selector("#key-dialog[open]")
        page.fill("#key", key)
        page.press("#key", "Enter")
        page.wait_for_selector(f"{LAST} .token")
        page.wait_for_selector(DONE)
        reader.check(f"key {name}: the question is asked again with the key", text_of(page) and
                     page.query_selector(".trouble") is None and len(page.query_selector_all(".answered")) == 1)
        page.reload()
        until(page, "document.querySelector('#model').textContent.length > 0")
        reader.check(f"key {name}: it survives a reload", not page.is_visible("#key-dialog"))
        reader.check(f"key {name}: it is not stored for longer than the tab", key not in page.evaluate("JSON.stringify(localStorage)"))
        reader.check(f"key {name}: it stands nowhere on the page", key not in page.content())
    if mock:
        mock.key = None


def against_mock(reader, mock: Mock):
    with reader.page(mock.url, expected=["429", "400", "ERR_INTERNET"]) as page:
        hostile(reader, page)
        say(page, "family")
        reader.check("characters of several tokens are whole", text_of(page) == FAMILY, text_of(page))
        spans = page.eval_on_selector_all(f"{LAST} .token", "spans => spans.map(span => span.textContent)")
        reader.check("and each is pointed at as one", "".join(spans) == FAMILY and "\ufffd" not in "".join(spans), spans)
        page.hover(f"{LAST} .token:first-child")
        reader.check("with its parts told", page.text_content("#panel h2") == spans[0] and
                     len(page.query_selector_all("#panel .candidates")) >= 2, page.text_content("#panel-content"))
        keyboard(reader, page, "keys on parts")
        troubles(reader, page, mock)
        say(page, "bare")
        reader.check("a server without candidates", text_of(page) == "No candidates here.", text_of(page))
        say(page, "withheld")
        spans = page.eval_on_selector_all(f"{LAST} .token", "spans => spans.map(span => span.textContent)")
        reader.check("held back text finds its tokens", spans == ["Held", " back", " then", " S"], spans)
        composing(reader, page, mock)
    stopping(reader, mock)
    length(reader, mock)


def hostile(reader, page):
    say(page, HOSTILE[0])
    asked = page.eval_on_selector("#talk .asked:nth-last-child(2) .text", "text => text.textContent")
    reader.check("a hostile question stays text", asked == HOSTILE[0], asked)
    say(page, "hostile")
    reader.check("a hostile reply stays text", text_of(page) == "".join(HOSTILE), text_of(page))
    made = page.evaluate("document.querySelectorAll('main img, main script, main style, #talk svg').length")
    reader.check("and makes no element", made == 0, made)
    for span in page.query_selector_all(f"{LAST} .token")[:8]:
        span.hover()
    made = page.evaluate("document.querySelectorAll('aside img, aside script').length")
    reader.check("nor in the panel", made == 0, made)
    page.reload()
    reader.check("nor after a reload", text_of(page) == "".join(HOSTILE), text_of(page))


def troubles(reader, page, mock):
    for name, said, kept in [("lost", "broke off", "These words arrive and then"), ("garbled", "cannot be understood", "Fine so far"),
                             ("fault", "The time limit of 60 s", "Half a"), ("toolong", "9000 tokens", ""), ("busy", "wait 7 s", "")]:
        say(page, name)
        told = page.text_content(f"{LAST} .trouble")
        reader.check(f"{name} is told in words", said in told, told)
        reader.check(f"{name} keeps what was said", text_of(page) == kept, text_of(page))
    page.click("#try-again")
    page.wait_for_selector(f"{LAST} #regenerate")
    reader.check("trying again helps", "sky" in text_of(page) and page.query_selector(f"{LAST} .trouble") is None)
    sent = mock.requests[-1]["messages"]
    reader.check("what was not answered is not sent", "toolong" not in [message["content"] for message in sent], sent)
    before = text_of(page)
    page.context.set_offline(True)
    page.click("#regenerate")
    page.wait_for_selector(f"{LAST} .trouble")
    reader.check("a server that is away is told, and the reply comes back",
                 "cannot be reached" in page.text_content(f"{LAST} .trouble") and text_of(page) == before, text_of(page))
    page.context.set_offline(False)
    page.click("#try-again")
    page.wait_for_selector(f"{LAST} #regenerate")


def composing(reader, page, mock):
    """Enter while Chinese is composed, Shift+Enter, then Enter."""
    count = len(mock.requests)
    page.fill("#input", "")
    page.focus("#input")
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": "nihao", "selectionStart": 5, "selectionEnd": 5})
    page.evaluate("""() => { window.heard = []; document.querySelector('#input').addEventListener('keydown',
        event => window.heard.push([event.key, event.isComposing]), true); }""")
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    heard = page.evaluate("window.heard")
    reader.check("Enter was pressed while composing", heard and heard[0][1] is True, heard)
    reader.check("Enter while composing does not send", len(mock.requests) == count)
    page.evaluate("""() => { for (const init of [{ isComposing: true }, { keyCode: 229 }]) document.querySelector('#input')
        .dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...init })); }""")
    session.send("Input.insertText", {"text": "你好"})
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    reader.check("nothing was sent yet", len(mock.requests) == count, mock.requests[-1])
    page.keyboard.press("Enter")
    page.wait_for_selector(DONE)
    sent = mock.requests[-1]["messages"][-1]["content"]
    reader.check("Shift+Enter begins a line and Enter sends", len(mock.requests) == count + 1 and
                 sent.endswith("你好\nsecond line"), sent)


def stopping(reader, mock):
    with reader.page(mock.url) as page:
        left = mock.broken_off
        say(page, "slow", wait=False)
        until(page, f"document.querySelectorAll('{LAST} .token').length > 5")
        page.reload()
        reader.check("a reload while it streams keeps what came", "word3" in text_of(page), text_of(page))
        for name, key in [("silent", "Escape"), ("slow", "Escape")]:
            say(page, name, wait=False)
            page.wait_for_selector(f"{LAST} .waiting" if name == "silent" else f"{LAST} .token:nth-child(4)")
            page.press("#input", key)
            page.wait_for_selector(DONE)
            if name == "silent":
                told = page.text_content(f"{LAST} .figures")
                reader.check("stopped before the first word", "before the first word" in told, told)
        told = page.text_content("#talk .asked:nth-child(3)")
        reader.check("what was not answered is marked", "not sent again" in told, told)
        page.wait_for_timeout(600)
        reader.check("the server sees that nobody listens", mock.broken_off >= left + 3, mock.broken_off - left)
        say(page, "slow", wait=False)
        page.wait_for_selector(f"{LAST} .token:nth-child(4)")
        page.click("#new")
        page.wait_for_timeout(300)
        reader.check("a new conversation stops the reply", page.is_visible("#welcome") and page.is_visible("#send"))
        page.click("#bring-back")
        reader.check("the last conversation comes back", len(page.query_selector_all("#talk .asked")) == 4,
                     len(page.query_selector_all("#talk .asked")))


def length(reader, mock):
    """4,000 tokens: how long the page is busy at once, and whether it still listens."""
    with reader.page(mock.url) as page:
        page.evaluate("""() => { window.longest = 0; window.busy = 0; new PerformanceObserver(list => {
            for (const task of list.getEntries()) {
              window.longest = Math.max(window.longest, task.duration); window.busy += task.duration; }
          }).observe({ type: 'longtask' }); }""")
        say(page, "long 4000")
        longest, busy = page.evaluate("[window.longest, window.busy]")
        reader.check("4,000 tokens are there", len(page.query_selector_all(f"{LAST} .token")) == 4000)
        print(f"4,000 tokens: the longest task took {longest:.0f} ms; tasks over 50 ms took {busy:.0f} ms in all", flush=True)
        reader.check("the page is never busy for long", longest < 1000, longest)
        seen = page.evaluate("""() => { const box = document.querySelector('#talk article:last-child .foot').getBoundingClientRect();
            return box.bottom <= document.querySelector('#scroll').getBoundingClientRect().bottom + 1; }""")
        reader.check("the end is in sight", seen)
        page.evaluate("getSelection().selectAllChildren(document.querySelector('#talk article:last-child .text'))")
        chosen, text = page.evaluate("getSelection().toString()"), text_of(page)
        reader.check("what is selected is what was said", chosen.strip() == text.strip(), (chosen[1500:1800], text[1500:1800]))
        keyboard(reader, page, "keys on a long reply")
        page.reload()
        reader.check("a long reply survives a reload", len(page.query_selector_all(f"{LAST} .token")) == 4000)
        # A browser that has no more room keeps the words.
        page.evaluate("""() => { for (let size = 1 << 22; size > 1000; size = Math.floor(size / 2)) {
            try { sessionStorage.setItem('filler' + size, 'x'.repeat(size)); } catch {} } }""")
        say(page, "long 300")
        text = text_of(page)
        page.reload()
        reader.check("words are kept where there is no room", text_of(page) == text and len(text) > 1000, len(text))
        tokens = len(page.query_selector_all("#talk .token"))
        reader.check("and candidates go", tokens < 4300, tokens)
        page.evaluate("document.querySelector('#scroll').scrollTop = 0")
        say(page, "long 400", wait=False)
        until(page, f"document.querySelectorAll('{LAST} .token').length > 60")
        page.mouse.move(400, 400)
        page.mouse.wheel(0, -3000)
        page.wait_for_selector("#latest:visible")
        at = page.evaluate("document.querySelector('#scroll').scrollTop")
        page.wait_for_timeout(300)
        reader.check("who reads above is left there", abs(page.evaluate("document.querySelector('#scroll').scrollTop") - at) < 5)


def phone(reader, mock):
    with reader.page(mock.url, 390, 844, language="zh-CN", has_touch=True, is_mobile=True) as page:
        reader.check("Chinese by the browser's language", page.evaluate("document.documentElement.lang") == "zh-CN" and
                     page.get_attribute("#input", "placeholder") == "写一条消息")
        fits(reader, "phone, empty", page)
        say(page, "a-word-without-an-end-" * 12)
        fits(reader, "phone, a long word", page)
        say(page, "family")
        page.tap(f"{LAST} .token:nth-child(3)")
        check_panel(reader, "a tap", page)
        fits(reader, "phone, candidates", page)
        box = page.eval_on_selector("#composer", "element => element.getBoundingClientRect().toJSON()")
        reader.check("the composer stays in sight", 0 < box["top"] and box["bottom"] <= 844, box)
        page.tap("#close-panel")
        reader.check("the panel closes", not page.is_visible("#panel"))
        page.tap("#open-settings")
        fits(reader, "phone, settings", page)
        page.tap("#cancel-settings")
        page.tap("#language")
        reader.check("English by the switch", page.get_attribute("#input", "placeholder") == "Write a message")
        fits(reader, "phone, English", page)
        page.set_viewport_size({"width": 390, "height": 460})  # as with a keyboard on the screen
        box = page.eval_on_selector("#composer", "element => element.getBoundingClientRect().toJSON()")
        reader.check("the composer stays above a keyboard", 0 < box["top"] and box["bottom"] <= 460, box)
        page.set_viewport_size({"width": 320, "height": 560})
        fits(reader, "320 pixels", page)


def screenshots(reader, mock):
    for width, height in [(1280, 800), (390, 844)]:
        for scheme in ("light", "dark"):
            for language in ("en-US", "zh-CN"):
                name = f"{width}-{scheme}-{language[:2]}"
                mock.busy_times = 1
                with reader.page(mock.url, width, height, scheme, language, expected=["429"],
                                 has_touch=width < 500, is_mobile=width < 500) as page:
                    until(page, "document.querySelector('#model').textContent.length > 0")
                    reader.shot(page, f"{name}-1-empty")
                    say(page, "plain")
                    reader.shot(page, f"{name}-2-reply")
                    say(page, "family")
                    page.click("#confidence")
                    page.click(f"{LAST} .token:nth-child(4)")
                    reader.shot(page, f"{name}-3-candidates")
                    page.click("#confidence")
                    page.keyboard.press("Escape")
                    say(page, "busy")
                    page.click("#input")
                    reader.shot(page, f"{name}-4-trouble")
                    page.click("#open-settings")
                    reader.shot(page, f"{name}-5-settings")
                    page.click("#cancel-settings")
                    say(page, "silent", wait=False)
                    page.wait_for_selector(f"{LAST} .waiting")
                    reader.shot(page, f"{name}-6-waiting")
