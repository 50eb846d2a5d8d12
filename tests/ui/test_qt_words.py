"""Qt's own words are the desk's language, and no earlier one's."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from softphone.domain.purpose import Language
from softphone.ui.application import translate_qt


def test_a_text_fields_menu_is_in_the_language_that_was_chosen_last(qapp: QApplication) -> None:
    said: list[str] = []
    for language in (Language.DA, Language.EN, Language.DA, Language.EN):
        translate_qt(language)
        said.append(QCoreApplication.translate("QWidgetTextControl", "&Copy"))
    assert said == ["&Kopiér", "&Copy"] * 2
