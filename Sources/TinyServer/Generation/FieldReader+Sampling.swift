import TinyJSON
import TinyRunner

extension FieldReader {
    /// How to choose tokens: OpenAI's fields and those that local engines add to them, all of them with OpenAI's ranges and
    /// defaults.
    ///
    /// - Parameter temperature: its range, if it is another.
    mutating func sampling(
        temperature range: ClosedRange<Double> = FieldLimits.temperature
    ) throws(APIError) -> Sampling {
        var sampling = Sampling(temperature: 1)
        if let value = try number("temperature", range) { sampling.temperature = Float(value) }
        // 0 is the likeliest token alone, as any number that small is.
        if let value = try number("top_p", FieldLimits.topP) {
            sampling.topP = max(Float(value), .leastNormalMagnitude)
        }
        if let value = try integer("top_k", FieldLimits.topK) { sampling.topK = max(0, value) }
        if let value = try number("min_p", FieldLimits.minP) { sampling.minP = Float(value) }
        if let value = try number("presence_penalty", FieldLimits.penalty) { sampling.presencePenalty = Float(value) }
        if let value = try number("frequency_penalty", FieldLimits.penalty) { sampling.frequencyPenalty = Float(value) }
        if let value = try number("repetition_penalty", FieldLimits.repetitionPenalty) {
            sampling.repetitionPenalty = Float(value)
        }
        if let value = try integer("seed", FieldLimits.seed) { sampling.seed = UInt64(bitPattern: Int64(value)) }
        return sampling
    }

    /// Texts at which to stop: one, or up to `limit`.
    mutating func stops(_ key: String = "stop", limit: Int = FieldLimits.stops) throws(APIError) -> [String] {
        guard let value = value(key) else { return [] }
        let stops = try texts(value, key, limit: limit)
        guard !stops.contains("") else { throw outOfRange(key, "an empty string", "a text to stop at") }
        return stops
    }

    private func texts(_ value: JSON, _ key: String, limit: Int) throws(APIError) -> [String] {
        let expected = "a string, or an array of up to \(limit) strings"
        if case .string(let text) = value { return [text] }
        guard case .array(let values) = value else { throw wrongType(key, value, expected) }
        guard values.count <= limit else { throw outOfRange(key, "an array of \(values.count)", expected) }
        var texts: [String] = []
        for (index, value) in values.enumerated() {
            guard case .string(let text) = value else { throw wrongType("\(key)[\(index)]", value, "a string") }
            texts.append(text)
        }
        return texts
    }
}
