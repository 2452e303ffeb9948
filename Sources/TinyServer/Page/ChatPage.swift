/// The page at `/`: a conversation with the model in the browser.
///
/// It is one text without outside resources. The script talks to the server it came from alone, and the policy that
/// goes with the page lets it do nothing else: no inline handler, no style attribute in markup and no markup from text
/// would pass.
enum ChatPage {
    /// The page, in UTF-8.
    static let html = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
        <meta name="color-scheme" content="light dark">
        <meta name="referrer" content="no-referrer">
        <link rel="icon" href="\(icon)">
        <title>tinygpt</title>
        <style>\(style)</style>
        </head>
        <body>
        \(body)
        <script>\(script)</script>
        </body>
        </html>

        """

    /// The value of the header `Content-Security-Policy` that goes with ``html``.
    static let contentSecurityPolicy = [
        "default-src 'none'",
        "connect-src 'self'",
        "script-src '\(ContentHash.source(of: script))'",
        "style-src '\(ContentHash.source(of: style))'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        // Text cannot become markup by way of innerHTML and its like, in browsers that know this.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ].joined(separator: "; ")

    static let style = [styleOfPage, styleOfTalk, styleOfPanel].joined(separator: "\n")

    static let script = [
        "\"use strict\";", scriptOfWords, scriptOfBasics, scriptOfRequests, scriptOfTokens, scriptOfPanel,
        scriptOfViews,
        scriptOfTalk, scriptOfSettings, scriptOfStart,
    ].joined(separator: "\n")

    /// Three bars, the last of them the likeliest.
    static let icon =
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M2 9h3v5H2zM6.5 6h3v8"
        + "h-3zM11 2h3v12h-3z' fill='%230b57d0'/%3E%3C/svg%3E"
}
