public import TinyTokenizer

/// A trace as a page to look at: the text coloured by probability with the candidates beside it, the lens as a grid of
/// layers and tokens, and where each head looked.
///
/// The page stands by itself: it loads nothing, and its policy forbids it to.
public struct TracePage {
    let trace: Trace
    let tokenizer: Tokenizer
    let title: String

    /// The most cells of the lens's grid, and the most tokens in all: beyond it a browser becomes slow.
    static let cellLimit = 60_000
    static let tokenLimit = 20_000
    /// Weights below this are left out, and so are all but so many of a row.
    static let leastWeight: Float = 0.002
    static let weightsOfRow = 24
    /// The most weights of a page: some 30 MB.
    static let weightLimit = 4_000_000

    /// - Parameter title: what is looked at, such as the model's name.
    public init(_ trace: Trace, _ tokenizer: Tokenizer, title: String) {
        self.trace = trace
        self.tokenizer = tokenizer
        self.title = title
    }

    /// The page, in UTF-8.
    ///
    /// - Throws: `RunnerError.pageTooLarge` where there is more to show than a browser could.
    public func html() throws(RunnerError) -> String {
        try checkSize()
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta http-equiv="Content-Security-Policy" content="\(Self.policy)">
            <link rel="icon" href="data:,">
            <title>\(Self.escaped(title))</title>
            <style>
            \(Self.style)
            </style>
            </head>
            <body>
            \(Self.body)
            <script type="application/json" id="data">\(data())</script>
            <script>
            \(Self.script)
            </script>
            </body>
            </html>

            """
    }

    private static let policy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"

    static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
    }

    private func checkSize() throws(RunnerError) {
        func check(_ what: String, _ count: Int, _ limit: Int, _ advice: String) throws(RunnerError) {
            if count > limit { throw .pageTooLarge(what: what, count: count, limit: limit, advice: advice) }
        }
        let tokens = trace.tokens.count
        try check("tokens", tokens, Self.tokenLimit, "a shorter text")
        try check(
            "cells of the lens", tokens * trace.lensLayers.count, Self.cellLimit, "fewer layers or a shorter text")
        let heads = trace.attention.reduce(0) { $0 + $1.heads }
        try check(
            "weights of attention", heads * tokens * min(tokens, Self.weightsOfRow), Self.weightLimit,
            "fewer layers or a shorter text")
    }
}
