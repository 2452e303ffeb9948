package import Testing

/// Expects every element within `tolerance` of what it should be; a failure shows the first bad index, the worst one
/// (relative to its tolerance) and both values of each. NaN is close to nothing.
package func expectClose(
    _ actual: [Float], _ expected: [Double], within tolerance: (Int) -> Double, _ what: @autoclosure () -> String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record("\(what()): \(actual.count) values, \(expected.count) expected", sourceLocation: sourceLocation)
        return
    }
    var first: Int?
    var worst = 0
    var worstRatio = 0.0
    for i in 0..<actual.count {
        let error = abs(Double(actual[i]) - expected[i])
        let allowed = tolerance(i)
        if error <= allowed { continue }
        if first == nil { first = i }
        let ratio = error.isNaN ? .infinity : error / allowed
        if ratio > worstRatio || first == i { (worst, worstRatio) = (i, ratio) }
    }
    guard let first else { return }
    func show(_ i: Int) -> String { "[\(i)] is \(actual[i]), not \(expected[i]) ± \(tolerance(i))" }
    Issue.record("\(what()): first bad \(show(first)); worst \(show(worst))", sourceLocation: sourceLocation)
}

/// Expects equal bits; a failure shows the first index that differs and both values.
package func expectSameBits(
    _ actual: [Float], _ expected: [Float], _ what: @autoclosure () -> String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record("\(what()): \(actual.count) values, \(expected.count) expected", sourceLocation: sourceLocation)
        return
    }
    // Whole arrays first: a loop over elements is slow in debug builds.
    let same = actual.withUnsafeBytes { a in expected.withUnsafeBytes { b in a.elementsEqualFast(b) } }
    if same { return }
    let bad = (0..<actual.count).filter { actual[$0].bitPattern != expected[$0].bitPattern }
    let first = bad.first ?? 0
    Issue.record(
        "\(what()): \(bad.count) of \(actual.count) differ, first [\(first)] is \(actual[first]), not \(expected[first])",
        sourceLocation: sourceLocation)
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension UnsafeRawBufferPointer {
    fileprivate func elementsEqualFast(_ other: UnsafeRawBufferPointer) -> Bool {
        count == other.count && (count == 0 || memcmp(baseAddress!, other.baseAddress!, count) == 0)
    }
}
