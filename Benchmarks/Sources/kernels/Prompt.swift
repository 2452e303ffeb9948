import CBenchmark
import CTinyKernels
import Foundation

// Products with 512 rows of activations, which are bound by arithmetic.

private let rows = 512

func prompt(_ options: Options, _ report: Report) {
    report.begin(
        "prompt", ["type", "width", "threads", "isa"],
        unit: "GFLOP/s with \(rows) rows, beside arithmetic in registers or tiles")
    for width in options.widths {
        guard let x = bench_floats(rows * width), let y = bench_floats(rows * width) else { continue }
        defer {
            free(x)
            free(y)
        }
        for type in quantizedTypes where options.types.contains(type.name) {
            guard width.isMultiple(of: tk_block_elements(type.type)) else { continue }
            quantized(type, width, x, y, options, report)
        }
        if options.types.contains("F32") { floats(width, x, y, options, report) }
    }
}

private func quantized(
    _ type: QuantizedType, _ width: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    _ options: Options, _ report: Report
) {
    guard let matrix = bench_matrices(type.type, width, width, 1) else { return report.note("\(type.name): no memory") }
    defer { bench_free_matrices(matrix) }
    var cases: [Case] = []
    for isa in supported where options.instructionSets.contains(isa.name) {
        let isCoarse = isa.table.pointee.prefers_coarse && matrix.pointee.is_narrow
        guard let activations = Activations(isa, x, rows: rows, columns: width, isCoarse: isCoarse) else { continue }
        for threads in options.threads {
            let labels = [type.name, "\(width)", "\(threads)", isa.name]
            cases.append(
                measured(labels, isa.limit(isQuantized: true), threads, width) {
                    let panels = $0 / TK_PANEL_ROWS
                    if let rounded = activations.rounded {
                        return bench_rounded(isa.table, matrix, panels, rounded, rows, y, Int32(threads))
                    }
                    var x = activations.quantized
                    return bench_packed(isa.table, matrix, 1, panels, &x, rows, y, Int32(threads))
                })
        }
    }
    sample(&cases, rounds: options.rounds)
    report.add(cases)
}

private func floats(
    _ width: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ options: Options, _ report: Report
) {
    guard let weights = bench_floats(width * width) else { return report.note("F32: no memory") }
    defer { free(weights) }
    var cases: [Case] = []
    for isa in supported where options.instructionSets.contains(isa.name) {
        for threads in options.threads {
            let labels = ["F32", "\(width)", "\(threads)", isa.name]
            cases.append(
                measured(labels, isa.limit(isQuantized: false), threads, width) {
                    bench_float(isa.table, weights, $0, x, rows, width, y, Int32(threads))
                })
        }
    }
    sample(&cases, rounds: options.rounds)
    report.add(cases)
}

/// A case of a square matrix, or of as many of its outputs as take a moment: plain C would take seconds for all of them.
private func measured(
    _ labels: [String], _ limit: Limit?, _ threads: Int, _ width: Int, _ seconds: @escaping (_ outputs: Int) -> Double
) -> Case {
    let step = min(width, 2 * TK_PANEL_ROWS * threads)  // tiles take two panels at a time
    let outputs = step * stepCount(most: max(1, width / step)) { seconds(step * $0) }
    let flops = Double(2 * rows * width * outputs)
    return Case(
        labels, limitName: limit?.name ?? "-", measure: { flops * 1e-9 / seconds(outputs) },
        measureLimit: limit.map { limit in { limit.rate(threads: threads) } })
}
