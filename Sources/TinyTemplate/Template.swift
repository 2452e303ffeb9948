/// A chat template: the part of the Jinja language that real ones use, with the meaning it has there.
///
/// What a template can reach is the values it is given and nothing else; what it may use is limited.
package struct Template: Sendable {
    private let statements: [Statement]
    private let limits: TemplateLimits

    /// - Throws: if the source is not well formed, or uses a tag, filter or test that is not part of the subset.
    package init(_ source: String, limits: TemplateLimits = TemplateLimits()) throws(TemplateError) {
        statements = try Parser.statements(of: source, limits: limits)
        self.limits = limits
    }

    /// The rendered text.
    ///
    /// - Parameters:
    ///   - values: the variables by name; of two equal names the last counts.
    ///   - date: what `strftime_now` tells; without it the template must not ask.
    package func render(_ values: [(String, Value)], date: TemplateDate? = nil) throws(TemplateError) -> String {
        try renderText(values, date: date).string
    }

    /// The rendered text, cut where the template's own words and those from the values meet. The segments joined are
    /// what `render` gives.
    package func renderSegments(
        _ values: [(String, Value)], date: TemplateDate? = nil
    ) throws(TemplateError) -> [TemplateSegment] {
        try renderText(values, date: date).segments
    }

    private func renderText(_ values: [(String, Value)], date: TemplateDate?) throws(TemplateError) -> Text {
        let evaluator = try Evaluator(values, date: date, limits: limits)
        return try evaluator.render(statements)
    }
}
