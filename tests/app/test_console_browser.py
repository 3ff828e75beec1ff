"""A person at the console, in headless Chromium: sentence, ghost, approval, stop, verdict."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("viser", reason="the extra [console] is not installed")
pytest.importorskip("selenium", reason="there is no browser to test with (selenium)")

from selenium import webdriver  # noqa: E402
from selenium.common.exceptions import WebDriverException  # noqa: E402
from selenium.webdriver.chrome.options import Options  # noqa: E402
from selenium.webdriver.chrome.service import Service as Driver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

from embodied.app.serving.service import Service  # noqa: E402
from embodied.app.show.window import Pace  # noqa: E402
from embodied.app.web.console import Console  # noqa: E402
from embodied.settings import Settings  # noqa: E402

TOKEN = "a-token-of-the-tests"
SWITCHES = (
    "--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--window-size=1280,860",
)  # fmt: skip


class Page:
    """What a person sees and presses."""

    def __init__(self, driver: Any, pictures: str | None) -> None:
        self.driver, self._pictures = driver, pictures

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def press(self, label: str) -> None:
        def pressed() -> bool:
            path = f"//button[normalize-space(.)='{label}']"
            self.driver.find_element(By.XPATH, path).click()
            return True

        self.until(pressed, label)

    def type(self, label: str, text: str) -> None:
        path = f"//label[normalize-space(.)='{label}']/following::input[1]"
        self.driver.find_element(By.XPATH, path).send_keys(text)

    def until(self, what: Callable[[], Any], meant: str, seconds: float = 90.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if what():
                    return
            except WebDriverException:
                pass
            time.sleep(0.1)
        raise AssertionError(f"did not happen: {meant}\n{self.text()}")

    def sees(self, text: str) -> None:
        self.until(lambda: text in self.text(), text)

    def picture(self, name: str) -> None:
        """Keep a picture where EMBODIED_TEST_PICTURES says, for the documentation."""
        if self._pictures:
            close = "document.querySelectorAll('.mantine-Notification-closeButton')"
            self.driver.execute_script(f"{close}.forEach(b => b.click())")
            time.sleep(0.7)
            self.driver.save_screenshot(str(Path(self._pictures) / f"{name}.png"))


@pytest.fixture
def page(tmp_path: Path) -> Iterator[tuple[Page, Service]]:
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("there is no browser to test with (chromium and chromedriver)")
    options = Options()
    options.binary_location = browser
    for switch in SWITCHES:
        options.add_argument(switch)
    # A fifth of real time: a page that is drawn in software has time for a press.
    service = Service(Settings(seed=3, pictures=False), tmp_path / "runs", pace=Pace(0.2).due)
    console = Console(service, TOKEN, 0)
    try:
        chromium = webdriver.Chrome(options=options, service=Driver(driver))
    except WebDriverException as error:  # as where its libraries are hidden
        console.close()
        service.close()
        pytest.skip(f"there is no browser to test with: {str(error).splitlines()[0]}")
    try:
        chromium.get(console.address)
        yield Page(chromium, os.environ.get("EMBODIED_TEST_PICTURES")), service
    finally:
        chromium.quit()
        console.close()
        service.close()


@pytest.mark.realtime
@pytest.mark.slow
def test_a_person_approves_a_ghost_stops_the_arm_and_reads_the_verdict(
    page: tuple[Page, Service],
) -> None:
    seen, service = page
    body = service.owner.session.environment.body
    seen.sees("You are the operator")
    seen.type("Sentence", "put the red block on the tray")
    seen.press("Plan")
    seen.sees("Waits for approval")
    seen.sees("Read as: red block on tray")
    seen.sees("Pick up the red block from the table.")
    assert body.observation.time == 0.0
    time.sleep(3.0)  # the ghost is on its way
    seen.picture("ghost")

    seen.press("Approve")
    seen.sees("MOVING")
    seen.until(lambda: body.observation.time > 0.5, "the arm moves")
    seen.picture("moving")
    seen.press("STOP")
    seen.sees("STOPPED: the arm is held")
    stopped = body.observation.time
    assert 0.5 < stopped < 5.0
    assert service.status.reached is None

    seen.press("Plan")
    seen.sees("Waits for approval")
    service._pace = None
    seen.press("Approve")
    seen.sees("the goal holds in measured state")
    seen.sees("Reached")
    seen.sees("holds: (on red-block tray), margin")
    time.sleep(1.5)
    seen.picture("verdict")
