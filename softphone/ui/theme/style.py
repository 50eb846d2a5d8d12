"""Fonts, palette and style sheet of the desk, made from a `Theme`. Controls that paint themselves take its colours directly."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from softphone.ui.theme.scale import factor, px
from softphone.ui.theme.tokens import Theme

HEADLINE, NAME, HEADING, READ_ALOUD, TIMER, PURPOSES, BODY, SMALL = 26, 22, 18, 18, 17, 15, 14, 13
"""sizes in px, none under 13; whole ones, because they stay sharp"""
MARGIN, GAP, TIGHT = 16, 12, 8
NOTE_PADDING = 4
"""px in a note's field above and below its lines, in normal text"""
CARD_RADIUS, BUTTON_RADIUS = 10.0, 8.0
_FAMILY = "Inter Klartone"
"""resources/fonts/README.md says what it is"""


def font(size: int = BODY, *, strong: bool = False, tabular: bool = False) -> QFont:
    """The desk's font at `size` units, for what paints itself; `tabular` gives digits of one width, for what counts."""
    made = QFont(QApplication.font())
    made.setPixelSize(size)
    made.setWeight(QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    if tabular:
        made.setFeature(QFont.Tag("tnum"), 1)
    return made


def label_font(size: int = BODY, *, strong: bool = False, tabular: bool = False) -> QFont:
    """The same for a label or a field, as large as the text is to be."""
    made = font(size, strong=strong, tabular=tabular)
    made.setPixelSize(px(size))
    return made


def load_fonts(folder: Path) -> None:
    """Our own, so that words have the same width on every system: a control that has room for them there has it here."""
    for file in sorted(folder.glob("*.otf")):
        QFontDatabase.addApplicationFont(str(file))


def set_fonts(app: QApplication) -> None:
    """Our own font; the system's for letters that it has not."""
    base = QFont([_FAMILY, QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()])
    base.setPixelSize(px(BODY))
    app.setFont(base)


def palette(theme: Theme) -> QPalette:
    made = QPalette()
    roles = QPalette.ColorRole
    for role, colour in {
        roles.Window: theme.window,
        roles.WindowText: theme.text,
        roles.Base: theme.surface,
        roles.AlternateBase: theme.window,
        roles.Text: theme.text,
        roles.Button: theme.surface,
        roles.ButtonText: theme.text,
        roles.ToolTipBase: theme.text,
        roles.ToolTipText: theme.window,
        roles.PlaceholderText: theme.muted,
        roles.Highlight: theme.accent,
        roles.HighlightedText: theme.on_accent,
        roles.Link: theme.accent,
        roles.Accent: theme.accent,
        roles.Mid: theme.line,
        roles.Dark: theme.line,
    }.items():
        made.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.disabled))
    return made


def sheet(theme: Theme) -> str:
    """In pixels at the text size that holds."""
    t, k = theme, factor()
    field, focused = round(38 * k), round(36 * k)
    entry, small = round(30 * k), round(SMALL * k)
    high = round(NOTE_PADDING * k)
    return f"""
    QWidget#desk, QWidget#page, QScrollArea, QScrollArea > QWidget > QWidget {{ background: {t.window}; }}
    QLabel {{ color: {t.text}; background: transparent; }}
    QLabel[role="muted"] {{ color: {t.muted}; }}
    QLabel[role="danger"] {{ color: {t.danger}; }}
    QLabel[role="warning"] {{ color: {t.amber.mark}; }}
    QLabel[role="ok"] {{ color: {t.ok}; }}
    QFrame[role="card"] {{ background: {t.surface}; border: 1px solid {t.line}; border-radius: 10px; }}
    QFrame[role="fault"] {{ background: {t.surface}; border: 2px solid {t.text}; border-radius: 10px; }}
    QLineEdit, QPlainTextEdit {{ placeholder-text-color: {t.muted}; }}
    QLineEdit, QComboBox {{
        background: {t.surface}; color: {t.text}; border: 1px solid {t.outline}; border-radius: 8px;
        padding: 0 10px; min-height: {field}px; selection-background-color: {t.accent}; selection-color: {t.on_accent};
    }}
    QPlainTextEdit {{
        background: {t.surface}; color: {t.text}; border: 1px solid {t.outline}; border-radius: 8px;
        padding: {high}px 6px; selection-background-color: {t.accent}; selection-color: {t.on_accent};
    }}
    QPlainTextEdit#callNote {{ background: transparent; border: 2px solid transparent; padding: {high - 1}px 2px; }}
    QPlainTextEdit#callNote:hover {{ background: {t.window}; }}
    QPlainTextEdit:focus, QPlainTextEdit#callNote:focus {{ border: 2px solid {t.accent}; }}
    QPlainTextEdit:focus {{ padding: {high - 1}px 5px; }}
    QLineEdit:focus, QComboBox:focus {{ border: 2px solid {t.accent}; padding: 0 9px; min-height: {focused}px; }}
    QLineEdit:disabled, QComboBox:disabled {{ color: {t.disabled}; background: {t.window}; border-color: {t.line}; }}
    QComboBox::drop-down {{ border: none; width: 28px; }}
    QComboBox::down-arrow {{ image: none; }}
    QComboBox QAbstractItemView, QMenu, QListView {{
        background: {t.surface}; color: {t.text}; border: 1px solid {t.line}; outline: 0; padding: 4px;
        selection-background-color: {t.neutral.fill}; selection-color: {t.text};
    }}
    QComboBox QAbstractItemView::item, QListView::item {{ min-height: {entry}px; padding: 0 6px; }}
    QFrame[role="box"] {{ background: {t.surface}; border: 1px solid {t.line}; border-radius: 10px; }}
    QFrame[role="ringing"] {{ background: {t.surface}; border: 2px solid {t.ok}; border-radius: 10px; }}
    QMenu {{ border-radius: 10px; padding: 6px; icon-size: {px(18)}px; }}
    QMenu::item {{ padding: {px(8)}px {px(26)}px {px(8)}px {px(9)}px; border-radius: 6px; }}
    QMenu::icon {{ margin-left: {px(4)}px; }}
    QMenu::right-arrow {{ width: {px(8)}px; height: {px(8)}px; margin-right: {px(8)}px; }}
    QMenu::item:selected {{ background: {t.neutral.fill}; color: {t.text}; }}
    QMenu::item:disabled {{ color: {t.disabled}; }}
    QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 8px; }}
    QToolTip {{ background: {t.text}; color: {t.window}; border: none; padding: 7px 10px; font-size: {small}px; }}
    QFrame#rule {{ background: {t.line}; border: none; }}
    QTableView#sampleList {{ background: transparent; border: none; }}
    QScrollArea {{ border: none; }}
    QScrollBar:vertical {{ background: transparent; width: 6px; margin: 0; }}
    QScrollBar::handle:vertical {{ background: {t.neutral.edge}; border-radius: 3px; min-height: 32px; }}
    QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{ background: none; height: 0; }}
    """
