import CLibEdit
import Foundation

/// Lines from a terminal, with editing and a history.
final class LineEditor {
    enum Outcome {
        case line(String)
        /// Ctrl-C, and whether the line was empty.
        case interrupted(wasEmpty: Bool)
        case end
    }

    private let editor: UnsafeMutablePointer<tiny_line_editor>

    /// Nil where the terminal or the locale cannot do it.
    init?(program: String) {
        let terminal = ProcessInfo.processInfo.environment["TERM"] ?? ""
        guard terminal != "" && terminal != "dumb", Self.usesUTF8() else { return nil }
        guard let editor = tiny_editor_open(program) else { return nil }
        self.editor = editor
    }

    deinit { tiny_editor_close(editor) }

    /// Characters are told apart by the process's locale, which need not have been set up.
    private static func usesUTF8() -> Bool {
        for name in ["", "C.UTF-8", "en_US.UTF-8", "UTF-8"] where setlocale(LC_CTYPE, name) != nil {
            if let set = nl_langinfo(nl_item(CODESET)), ["UTF-8", "utf8", "UTF8"].contains(String(cString: set)) {
                return true
            }
        }
        return false
    }

    func read(_ prompt: String) -> Outcome {
        // What is pasted arrives between marks, so that its line ends are told from Enter.
        Output.terminal("\u{1B}[?2004h")
        defer { Output.terminal("\u{1B}[?2004l") }
        var count: Int32 = 0
        let line = prompt.withCString { tiny_editor_read(editor, $0, &count) }
        guard let line, count > 0 else {
            if editor.pointee.was_interrupted { return .interrupted(wasEmpty: editor.pointee.was_empty) }
            return .end
        }
        var text = String(cString: line)
        if text.hasSuffix("\n") { text.removeLast() }
        return .line(text)
    }

    /// - Parameter line: to be had with the arrow keys.
    func remember(_ line: String) { tiny_editor_remember(editor, line) }
}
