package import TinyTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A picture of kernels below what the machine can do: how much each computes for a byte, and how fast it does. One SVG
/// without anything from outside, dark where the reader's screen is.
package struct Roofline {
    /// A kernel in the picture.
    private struct Point {
        let number: Int
        let kernel: ProfileReport.Kernel
        let isPrompt: Bool
        let share: Double
        var intensity: Double { kernel.operations / kernel.bytes }
    }

    private let title: String
    private let limits: MachineLimits
    private let points: [Point]
    // Powers of ten that the axes begin and end with.
    private let across: (least: Double, most: Double)
    private let up: (least: Double, most: Double)
    private let frame = (left: 78.0, top: 64.0, width: 620.0, height: 470.0)

    /// - Parameter title: what was measured.
    package init(_ report: ProfileReport, limits: MachineLimits, title: String) {
        self.title = title
        self.limits = limits
        var found: [Point] = []
        for (section, isPrompt) in [(report.prompt, true), (report.decode, false)] {
            for kernel in section.kernels.prefix(12)
            where kernel.bytes > 0 && kernel.operationsPerSecond > 0 && kernel.seconds > 0.002 * section.wallSeconds {
                found.append(
                    Point(
                        number: found.count + 1, kernel: kernel, isPrompt: isPrompt,
                        share: kernel.seconds / section.wallSeconds))
            }
        }
        points = found
        // The point where the highest roof begins, and all kernels, are in it.
        let ridge = limits.operationsPerSecond / max(1, limits.readBytesPerSecond)
        let x = found.map(\.intensity) + [max(ridge, 1) * 4, 0.1]
        let y = found.map(\.kernel.operationsPerSecond) + [limits.operationsPerSecond * 2, 1e9]
        across = (log10(x.min() ?? 0.1).rounded(.down), log10(x.max() ?? 10).rounded(.up))
        up = (log10(y.min() ?? 1e9).rounded(.down), log10(y.max() ?? 1e12).rounded(.up))
    }

    private func x(_ intensity: Double) -> Double {
        frame.left + (log10(intensity) - across.least) / (across.most - across.least) * frame.width
    }

    private func y(_ speed: Double) -> Double {
        frame.top + (up.most - log10(speed)) / (up.most - up.least) * frame.height
    }

    /// The picture.
    package var svg: String {
        let rows = points.count + 2
        let height = max(frame.top + frame.height + 70, frame.top + 22 * Double(rows) + 70)
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1100 \(short(height))" width="1100" \
            height="\(short(height))" role="img" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="13">
            <title>\(escaped(title))</title>
            <style>
            .paper { fill: #ffffff } .ink { fill: #1c1f23 } .pale { fill: #5b636d } .grid { stroke: #d9dde2 }
            .roof { stroke: #1c1f23; fill: none; stroke-width: 2 } .prompt { fill: #b4480f } .decode { fill: #1f62b5 }
            .number { fill: #ffffff; font-size: 10px; font-weight: 600; text-anchor: middle }
            @media (prefers-color-scheme: dark) {
            .paper { fill: #14171a } .ink { fill: #e8ebee } .pale { fill: #a3acb6 } .grid { stroke: #33393f }
            .roof { stroke: #e8ebee } .prompt { fill: #f08a4b } .decode { fill: #6ca9f2 } .number { fill: #14171a }
            }
            </style>
            <rect class="paper" width="100%" height="100%"/>
            <text class="ink" x="\(short(frame.left))" y="32" font-size="17" font-weight="600">\(escaped(title))</text>

            """
        text += axes
        text += roofs
        for point in points.reversed() { text += circle(point) }
        text += legend
        return text + "</svg>\n"
    }

    private var axes: String {
        let (right, bottom) = (frame.left + frame.width, frame.top + frame.height)
        var text = ""
        for power in stride(from: across.least, through: across.most, by: 1) {
            let at = x(pow(10, power))
            text += line("grid", at, frame.top, at, bottom)
            text += label("pale", at, bottom + 20, number(pow(10, power)), anchor: "middle")
        }
        for power in stride(from: up.least, through: up.most, by: 1) {
            let at = y(pow(10, power))
            text += line("grid", frame.left, at, right, at)
            text += label("pale", frame.left - 8, at + 4, number(pow(10, power - 9)), anchor: "end")
        }
        text += label("ink", frame.left + frame.width / 2, bottom + 44, "operations for each byte", anchor: "middle")
        let middle = frame.top + frame.height / 2
        text +=
            "<text class=\"ink\" text-anchor=\"middle\" transform=\"translate(22 \(short(middle))) rotate(-90)\">"
            + "GFLOP/s</text>\n"
        return text
    }

    /// Memory's slope, and a roof for each unit.
    private var roofs: String {
        let right = frame.left + frame.width
        let memory = limits.readBytesPerSecond
        guard memory > 0, limits.operationsPerSecond > 0 else { return "" }
        let start = max(across.least, up.least - log10(memory))
        let ridge = limits.operationsPerSecond / memory
        var text = line("roof", x(pow(10, start)), y(pow(10, start) * memory), x(ridge), y(limits.operationsPerSecond))
        var above = -Double.infinity
        for unit in limits.units.sorted(by: { $0.operationsPerSecond > $1.operationsPerSecond })
        where unit.operationsPerSecond > 0 {
            let at = y(unit.operationsPerSecond)
            // Below its line where the one above is near.
            let place = at - above < 24 ? at + 17 : at - 7
            above = place
            text += line("roof", x(unit.operationsPerSecond / memory), at, right, at)
            text += label(
                "ink", right - 6, place, "\(unit.name), \(number(unit.operationsPerSecond / 1e9)) GFLOP/s",
                anchor: "end")
        }
        // Along the slope, a third of the way up.
        let at = pow(10, start + (log10(ridge) - start) * 0.35)
        let angle =
            -atan2(
                frame.height / (up.most - up.least), frame.width / (across.most - across.least)) * 180 / Double.pi
        return text
            + "<text class=\"ink\" transform=\"translate(\(short(x(at))) \(short(y(at * memory) - 8))) "
            + "rotate(\(short(angle)))\">memory, \(number(memory / 1e9)) GB/s</text>\n"
    }

    private func circle(_ point: Point) -> String {
        let (x, y) = (x(point.intensity), y(point.kernel.operationsPerSecond))
        let radius = 8 + 14 * point.share.squareRoot()
        return
            "<circle class=\"\(point.isPrompt ? "prompt" : "decode")\" opacity=\"0.9\" cx=\"\(short(x))\" cy=\"\(short(y))\" "
            + "r=\"\(short(radius))\"><title>\(escaped(point.kernel.name))</title></circle>\n"
            + "<text class=\"number\" x=\"\(short(x))\" y=\"\(short(y + 3.5))\">\(point.number)</text>\n"
    }

    private var legend: String {
        let left = frame.left + frame.width + 34
        var at = frame.top + 6
        var text = ""
        for (isPrompt, name) in [(true, "prompt"), (false, "decoding")] {
            text += label("ink", left, at, "\(name), share of its time", weight: "600")
            at += 22
            for point in points where point.isPrompt == isPrompt {
                text +=
                    "<circle class=\"\(isPrompt ? "prompt" : "decode")\" cx=\"\(short(left + 8))\" cy=\"\(short(at - 4))\" r=\"8\"/>\n"
                text +=
                    "<text class=\"number\" x=\"\(short(left + 8))\" y=\"\(short(at - 0.5))\">\(point.number)</text>\n"
                text += label("ink", left + 24, at, "\(point.kernel.name), \(number(point.share * 100)) %")
                at += 21
            }
            at += 14
        }
        return text
    }

    private func line(_ style: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
        "<line class=\"\(style)\" x1=\"\(short(x1))\" y1=\"\(short(y1))\" x2=\"\(short(x2))\" y2=\"\(short(y2))\"/>\n"
    }

    private func label(
        _ style: String, _ x: Double, _ y: Double, _ words: String, anchor: String = "start", weight: String = "400"
    ) -> String {
        "<text class=\"\(style)\" x=\"\(short(x))\" y=\"\(short(y))\" text-anchor=\"\(anchor)\" font-weight=\"\(weight)\">"
            + "\(escaped(words))</text>\n"
    }
}

/// A place, to a tenth of a pixel.
private func short(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }

/// Three digits or so: 0.01, 5.3, 2330.
private func number(_ value: Double) -> String {
    if value >= 100 || value == value.rounded() { return "\(Int(value.rounded()))" }
    let digits = value >= 10 ? 10.0 : value >= 0.1 ? 100.0 : 10000.0
    return "\((value * digits).rounded() / digits)"
}

/// As XML takes it; what XML has no place for becomes a question mark.
private func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case _ where scalar.value < 0x20 || 0xFFFE...0xFFFF ~= scalar.value: result += "?"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
