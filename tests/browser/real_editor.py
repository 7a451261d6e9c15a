"""ComfyUI's graph editor as its user meets it: what is clicked, and what is on the screen afterwards.

Clicks go to the real buttons. What the canvas draws is no DOM: the editor's own graph object is asked for it.
"""

from pathlib import Path

from on_screen import faults
from patience import patience
from playwright.sync_api import Locator, Page, TimeoutError

PACK = "freeanimate"
WINDOW = {"width": 1600, "height": 1000}
CLICKS = 3  # on a template's card: a list that is still being laid out swallows one
PATIENCE = 1000 * patience(120)  # milliseconds for the editor to answer
RESET = {"Comfy.RightSidePanel.IsOpen": False, "Comfy.VueNodes.Enabled": False}  # settings that tests leave changed
_LIBRARY = "Workspace.ToggleSidebarTab.node-library"  # the editor's command for its list of nodes
MARGIN = 90  # pixels around the graph in a screenshot: the editor's own bars lie there

_WATCH = """() => {
    const seen = window.seen = {progress: [], previews: [], texts: [], shown: [[performance.now(), ""]]};
    app.api.addEventListener("progress", e => seen.progress.push([e.detail.node, e.detail.value / e.detail.max]));
    app.api.addEventListener("progress_text", e => seen.texts.push([e.detail.nodeId, e.detail.text]));
    app.api.addEventListener("b_preview_with_metadata", async e => {
        const picture = await createImageBitmap(e.detail.blob);
        seen.previews.push([e.detail.nodeId, picture.width, picture.height]);
    });
    new MutationObserver(() => seen.shown.push([performance.now(), document.title]))
        .observe(document.querySelector("title"), {childList: true, subtree: true, characterData: true});
}"""

_HAS_ELEMENTS = """() => !LiteGraph.vueNodesMode
    || app.graph.nodes.every(node => document.querySelector(`[data-node-id='${node.id}']`)?.offsetHeight)"""

_CONNECT = """links => links.forEach(([from, output, to, input]) => {
    const [source, target] = [from, to].map(id => app.graph.getNodeById(id));
    source.connect(source.findOutputSlot(output), target, target.findInputSlot(input));
})"""

_SET_VALUES = """values => Object.entries(values).forEach(([title, widgets]) => {
    const node = app.graph.nodes.find(n => n.getTitle() === title);
    Object.entries(widgets).forEach(([name, value]) => {
        const widget = node.widgets.find(w => w.name === name);
        widget.value = value;
        widget.callback?.(value);
    });
})"""

# Five pictures: the view is fitted in the first, texts' boxes follow in the next ones
_FRAMES = """async () => { for (let i = 0; i < 5; i++) await new Promise(requestAnimationFrame); }"""

_PLAYS = """async video => {
    video.muted = true;
    await video.play();
    while (video.currentTime === 0) await new Promise(done => setTimeout(done, 50));
    return {duration: video.duration, width: video.videoWidth, height: video.videoHeight, source: video.currentSrc};
}"""


class Editor:
    """The editor in a page; the constructor loads it.

    page: Playwright's. url: the server's address. pictures: the folder for screenshots.
    """

    def __init__(self, page: Page, url: str, pictures: Path):
        self.page, self._url, self._pictures = page, url, pictures
        page.set_default_timeout(PATIENCE)
        self.reload()

    def reload(self) -> None:
        """Load the page anew, for seconds."""
        self.page.set_viewport_size(WINDOW)
        self.page.goto(self._url)
        self.page.wait_for_function(
            "window.app?.vueAppReady && app.graph.nodes.length > 0"
        )  # it begins with a workflow

    def start_over(self) -> None:
        """A new workflow with an empty graph; what earlier ones left open is closed."""
        self.page.set_viewport_size(WINDOW)
        for setting, value in RESET.items():
            self._set(setting, value)
        self._command("Comfy.NewBlankWorkflow")
        self.page.wait_for_function("app.graph.nodes.length === 0")

    def version(self) -> str:
        """The front end's own version."""
        return self.page.evaluate("window.__COMFYUI_FRONTEND_VERSION__")

    def open_template(self, stem: str, nodes: int) -> None:
        """Open a template of the pack from the template browser; `nodes` is the number of its nodes."""
        self.page.get_by_role("button", name="Templates").click()
        self.page.get_by_role("dialog").get_by_text(PACK, exact=True).click()
        card = self.page.get_by_test_id(f"template-workflow-{stem}")
        for attempt in reversed(range(CLICKS)):
            card.click()
            try:
                self.page.wait_for_function(
                    "count => app.graph.nodes.length === count", arg=nodes, timeout=PATIENCE / CLICKS
                )
                break
            except TimeoutError:
                if not attempt:
                    raise
        card.wait_for(state="detached")

    def opened_as_app(self) -> list[str]:
        """Wait for the app mode and return the labels of the widgets that it shows."""
        labels = self.page.get_by_test_id("linear-widgets").get_by_test_id("builder-widget-label")
        labels.first.wait_for()
        self.page.keyboard.press("Escape")  # 1.58.1 tells of the app mode in a dialog, the first time
        self.page.get_by_test_id("coach-landing").wait_for(state="detached")
        return labels.all_inner_texts()

    def add_blueprint(self, name: str) -> str:
        """Place a subgraph blueprint from the node library: search it, click it, click the canvas; return its id."""
        self._command(_LIBRARY)
        self.page.get_by_placeholder("Search").first.fill(name)
        self.page.get_by_role("treeitem").get_by_text(name, exact=True).click()
        self.page.mouse.move(1000, 500)
        self.page.mouse.click(1000, 500)
        self.page.wait_for_function("app.graph.nodes.length > 0")
        self._command(_LIBRARY)  # closes it
        return self.page.evaluate("String(app.graph.nodes[0].id)")

    def add(self, node_type: str) -> str:
        """Put a node into the graph and return its id."""
        add = "type => { const node = LiteGraph.createNode(type); app.graph.add(node); return String(node.id); }"
        return self.page.evaluate(add, node_type)

    def connect(self, links: list[tuple[str, str, str, str]]) -> None:
        """Link nodes: (id, its output's name, id, its input's name) each."""
        self.page.evaluate(_CONNECT, links)

    def unpack(self, node: str) -> None:
        """Put a subgraph's nodes in its place."""
        self._select([node])
        self._command("Comfy.Graph.UnpackSubgraph")
        self.page.wait_for_function("id => !app.graph.getNodeById(id)", arg=node)

    def load_prompt(self, prompt: dict) -> None:
        """Open an API prompt, as dropping its file on the canvas does."""
        self.page.evaluate("prompt => app.loadApiJson(prompt, 'prompt')", prompt)
        self.page.wait_for_function("count => app.graph.nodes.length === count", arg=len(prompt))

    def load(self, graph: dict) -> None:
        """Open a graph in the editor's format."""
        self.page.evaluate("graph => app.loadGraphData(graph)", graph)

    def save(self) -> None:
        """Save the workflow under the name that the editor offers."""
        self.page.keyboard.press("Control+s")
        self.page.get_by_role("dialog").get_by_role("textbox").press("Enter")
        self.page.wait_for_function("app.extensionManager.workflow.activeWorkflow.isPersisted")

    def unknown_types(self) -> list[str]:
        """Types of the graph that the editor does not know."""
        return self.page.evaluate(
            "app.graph.nodes.map(n => n.type).filter(type => !(type in LiteGraph.registered_node_types))"
        )

    def prompt(self) -> dict:
        """What Run would send: the graph in the API's format."""
        return self.page.evaluate("async () => (await app.graphToPrompt()).output")

    def faults(self) -> list[str]:
        """Sentences on what a user cannot read or see of the graph; see `on_screen`."""
        return faults(self.page)

    def use_nodes_2(self, on: bool = True) -> None:
        """Have the nodes drawn by Nodes 2.0, as elements of the page, or on the canvas as before."""
        self._set("Comfy.VueNodes.Enabled", on)

    def resize(self, width: int, height: int) -> None:
        """Set the window's size in pixels."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_function("width => app.canvasEl.getBoundingClientRect().right >= width - 1", arg=width)

    def wait_until_drawn(self) -> None:
        """Wait until the graph is on the screen; in Nodes 2.0 each node has its element then."""
        self.page.wait_for_function(_HAS_ELEMENTS)
        self.page.evaluate(_FRAMES)

    def set_values(self, values: dict[str, dict]) -> None:
        """Set widgets of nodes, by the nodes' titles and the widgets' names."""
        self.page.evaluate(_SET_VALUES, values)

    def press_on(self, nodes: list[int], keys: str) -> None:
        """Select nodes by their ids and press keys over the canvas."""
        self._select(nodes)
        self.page.locator("#graph-canvas").focus()
        self.page.keyboard.press(keys)

    def press_run(self) -> None:
        """Press Run."""
        self.page.get_by_test_id("queue-button").click()

    def watch(self) -> None:
        """From now on keep what the editor is told and shows; see `seen`."""
        self.page.evaluate(_WATCH)

    def seen(self) -> dict[str, list]:
        """Since `watch`, lists by name, each with the node's id first but for the last.

        progress [node, 0..1], previews [node, width, height], texts [node, text], shown [milliseconds, window title].
        """
        return self.page.evaluate("window.seen")

    def play(self, timeout: float) -> dict:
        """Wait for a video in the graph, at most `timeout` seconds, play it, and return its size and duration."""
        video = self.page.locator("video").first
        video.wait_for(timeout=timeout * 1000)
        return video.evaluate(_PLAYS)

    def errors(self) -> Locator:
        """Wait for the editor's message of errors and open its details; they fill in by and by."""
        self.page.get_by_test_id("error-overlay-see-errors").click()
        return self.page.get_by_test_id("errors-summary-hero").locator("xpath=..")

    def has_errors(self) -> bool:
        """Whether the editor shows its message of errors."""
        return self.page.get_by_test_id("error-overlay").is_visible()

    def failed_node(self) -> str:
        """Id of the node that the canvas outlines as failed, "" for none."""
        return self.page.evaluate("String(app.lastExecutionError?.node_id ?? '')")

    def open_help(self, node_type: str) -> None:
        """Put a node into the graph, click it, and press the information button above it."""
        x, y = self.page.evaluate(
            """type => {
                const node = LiteGraph.createNode(type);
                app.graph.add(node);
                [node.pos[0], node.pos[1]] = app.canvas.convertCanvasToOffset([600, 400]);
                const box = app.canvasEl.getBoundingClientRect();
                return [box.x + 600 + 60, box.y + 400 - 10];
            }""",
            node_type,
        )
        self.page.wait_for_function("app.canvas.visible_nodes.length === 1")  # before that it takes no click
        self.page.wait_for_function(  # while the editor loads, a mask lies over the canvas
            "([x, y]) => document.elementFromPoint(x, y) === app.canvasEl", arg=[x, y]
        )
        self.page.mouse.click(x, y)
        self.page.get_by_test_id("info-button").click()

    def picture(self, name: str) -> None:
        """A screenshot of the window."""
        self.page.screenshot(path=self._pictures / f"{name}.png")

    def picture_of_graph(self, name: str) -> None:
        """A screenshot of the whole graph at its natural size."""
        width, height = self.page.evaluate(
            """margin => {
                const items = [...app.graph.nodes, ...app.graph.groups, ...app.graph.reroutes.values()];
                const boxes = items.map(item => item.boundingRect);
                const [x, y] = [0, 1].map(axis => Math.min(...boxes.map(box => box[axis])));
                const far = [0, 1].map(axis => Math.max(...boxes.map(box => box[axis] + box[axis + 2])));
                app.canvas.ds.scale = 1;
                app.canvas.ds.offset = [margin - x, margin - y];
                return [far[0] - x + 2 * margin, far[1] - y + 2 * margin];
            }""",
            MARGIN,
        )
        self.page.set_viewport_size({"width": round(width), "height": round(height)})
        self.page.wait_for_timeout(500)  # the canvas is drawn anew
        self.picture(name)
        self.page.set_viewport_size(WINDOW)

    def _select(self, nodes: list) -> None:
        self.page.evaluate("ids => app.canvas.selectItems(ids.map(id => app.graph.getNodeById(id)))", nodes)

    def _set(self, setting: str, value: bool) -> None:
        self.page.evaluate("([id, value]) => app.extensionManager.setting.set(id, value)", [setting, value])

    def _command(self, name: str) -> None:
        self.page.evaluate("name => app.extensionManager.command.execute(name)", name)
